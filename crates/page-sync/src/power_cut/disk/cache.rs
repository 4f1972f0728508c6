//! A disk with a volatile write cache: what real disks do, without the disk.
//!
//! ```text
//!   write ──► shown: what a read answers ──► platter: what is left without power
//!                     │      ▲                  ▲
//!                     │      └─ the cache ──────┘
//!                     └── unflushed sectors ──── flush
//! ```

use std::collections::BTreeSet;

use nix::errno::Errno;

/// The smallest piece that is written whole.
const SECTOR: usize = 512;

/// What the disk was asked to do so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::power_cut) struct Counters {
    /// Bytes that arrived in the cache.
    pub written: u64,
    /// Times that the cache was emptied onto the platter.
    pub flushes: u64,
}

/// The disk.
#[derive(Debug)]
pub(super) struct Cached {
    shown: Vec<u8>,
    platter: Vec<u8>,
    unflushed: BTreeSet<usize>,
    counters: Counters,
    /// As they were at the cut, if there was one: a disk without power counts nothing.
    at_cut: Option<Counters>,
}

impl Cached {
    /// A disk with these bytes, a multiple of 512, on its platter.
    pub fn new(platter: Vec<u8>) -> Cached {
        debug_assert!(platter.len().is_multiple_of(SECTOR));
        Cached {
            shown: platter.clone(),
            platter,
            unflushed: BTreeSet::new(),
            counters: Counters::default(),
            at_cut: None,
        }
    }

    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// What it was asked to do, up to the last cut if there was one.
    pub fn counters(&self) -> Counters {
        self.at_cut.unwrap_or(self.counters)
    }

    /// The bytes as the computer sees them, cut where the disk ends.
    pub fn read(&self, offset: u64, len: usize) -> &[u8] {
        part(&self.shown, offset, len)
    }

    /// Takes bytes into the cache. A disk does not grow.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
        let start = usize::try_from(offset).map_err(|_| Errno::ENOSPC)?;
        let end = start.checked_add(bytes.len()).ok_or(Errno::ENOSPC)?;
        self.shown.get_mut(start..end).ok_or(Errno::ENOSPC)?.copy_from_slice(bytes);
        self.unflushed.extend(start / SECTOR..end.div_ceil(SECTOR));
        self.counters.written += bytes.len() as u64;
        Ok(())
    }

    /// Puts all that is in the cache onto the platter.
    pub fn flush(&mut self) {
        self.spill();
        self.counters.flushes += 1;
    }

    /// Counts a flush, and does none.
    pub fn pretend_to_flush(&mut self) {
        self.counters.flushes += 1;
    }

    /// Does a flush that nobody asked for.
    pub fn spill(&mut self) {
        for sector in std::mem::take(&mut self.unflushed) {
            let bytes = sector * SECTOR..(sector + 1) * SECTOR;
            self.platter[bytes.clone()].copy_from_slice(&self.shown[bytes]);
        }
    }

    /// The power fails now: what is left.
    pub fn cut(&mut self) -> &[u8] {
        self.at_cut = Some(self.counters);
        &self.platter
    }
}

/// The bytes from `offset` on, as many as there are of `len`.
pub(super) fn part(bytes: &[u8], offset: u64, len: usize) -> &[u8] {
    let start = usize::try_from(offset).map_or(bytes.len(), |start| start.min(bytes.len()));
    &bytes[start..start.saturating_add(len).min(bytes.len())]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_not_flushed_is_not_on_the_platter() {
        let mut disk = Cached::new(vec![0; 2048]);
        disk.write(512, b"first").unwrap();
        disk.flush();
        disk.write(512, b"second").unwrap();
        assert_eq!(disk.read(512, 6), b"second");
        assert_eq!(&disk.cut()[512..518], b"first\0");
        disk.flush();
        assert_eq!(disk.counters(), Counters { written: 11, flushes: 1 }, "as at the cut");
        assert_eq!(&disk.cut()[512..518], b"second");
    }

    #[test]
    fn the_disk_ends_where_it_ends() {
        let mut disk = Cached::new(vec![0; 1024]);
        for offset in [1023, 1024, u64::MAX] {
            assert_eq!(disk.write(offset, b"ab"), Err(Errno::ENOSPC));
        }
        assert_eq!(disk.read(1023, 10), [0]);
        assert!(disk.read(u64::MAX, usize::MAX).is_empty());
        assert_eq!(disk.counters().written, 0);
    }

    proptest! {
        /// Any order of writes and flushes: the disk shows all writes, and the platter is the disk
        /// as it was at the last flush.
        #[test]
        fn the_platter_is_the_disk_at_the_last_flush(
            steps in prop::collection::vec(
                prop_oneof![
                    (0u64..4096, prop::collection::vec(any::<u8>(), 1..1500)).prop_map(Some),
                    Just(None),
                ],
                0..40,
            )
        ) {
            let mut disk = Cached::new(vec![0; 4096]);
            let (mut shown, mut stable) = (vec![0; 4096], vec![0; 4096]);
            for step in steps {
                match step {
                    Some((offset, bytes)) => {
                        let range = offset as usize..offset as usize + bytes.len();
                        match shown.get_mut(range) {
                            Some(place) => {
                                place.copy_from_slice(&bytes);
                                disk.write(offset, &bytes).unwrap();
                            }
                            None => prop_assert!(disk.write(offset, &bytes).is_err()),
                        }
                    }
                    None => {
                        disk.flush();
                        stable.clone_from(&shown);
                    }
                }
                prop_assert_eq!(disk.read(0, 4096), &shown[..]);
                prop_assert_eq!(disk.cut(), &stable[..]);
            }
        }
    }
}
