//! Where what lies in a note file.

use std::time::SystemTime;

use ipc_common::view::ReadView;

/// The last bytes of a note file, which belong to the protocol and not to the text.
pub const TRAILER: usize = 64;

/// The longest note file, in bytes. Whoever lengthens a file must not be able to make a reader
/// copy all its memory full.
pub const LONGEST_FILE: usize = 16 * 1024 * 1024;

/// The shortest: as much text as trailer.
const SHORTEST_FILE: usize = 2 * TRAILER;

const MAGIC: [u8; 8] = *b"ipc-note";

/// In the byte order of the machine, as the sequence is: a machine of the other order does not
/// take the file for a note, instead of misreading its sequence.
const VERSION: u32 = 1;

/// Where in the trailer the sequence is.
pub(crate) const SEQUENCE: usize = 12;

/// The sequence of a note that nobody has written yet. 0 is that of none: it is what stands there
/// after a cut, when the file has grown again, and a reader who sees it has seen no note, whatever
/// stood before it at the moment when he looked there.
pub(crate) const FIRST: u32 = 2;

/// The trailer of a note that nobody has written yet.
pub(crate) fn fresh_trailer() -> [u8; TRAILER] {
    let mut bytes = [0; TRAILER];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..SEQUENCE].copy_from_slice(&VERSION.to_ne_bytes());
    bytes[SEQUENCE..SEQUENCE + 4].copy_from_slice(&FIRST.to_ne_bytes());
    bytes
}

/// The trailer of a note that was cut and is made one again: as if its writer had died in the
/// middle, for what is left of the text may be half of it. The number is one that no reader has
/// seen just now, or it would take half of the old text and half of the next for one note.
pub(crate) fn abandoned_trailer() -> [u8; TRAILER] {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let sequence = (now.as_nanos() >> 6) as u32 | 1;
    let mut bytes = fresh_trailer();
    bytes[SEQUENCE..SEQUENCE + 4].copy_from_slice(&sequence.to_ne_bytes());
    bytes
}

/// Whether these bytes begin as a trailer of ours does.
pub(crate) fn is_trailer(bytes: &[u8]) -> bool {
    bytes.len() >= SEQUENCE && bytes[..SEQUENCE] == fresh_trailer()[..SEQUENCE]
}

/// Whether these bytes, where a trailer was, are what a cut leaves of one: its beginning, and zeros
/// if the file has grown again. The whole magic is more than that. The sequence counts for nothing:
/// a writer that was at it during the cut has stored one since.
pub(crate) fn is_cut_trailer(bytes: &[u8]) -> bool {
    let same = bytes.iter().zip(fresh_trailer()).take_while(|(byte, fresh)| *byte == fresh);
    let same = same.count().min(SEQUENCE);
    let zero = |(at, byte): (usize, &u8)| *byte == 0 || (SEQUENCE..SEQUENCE + 4).contains(&at);
    same < SEQUENCE && bytes.iter().enumerate().skip(same).all(zero)
}

/// Where things are in a file of a given length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    len: usize,
}

impl Layout {
    /// `None` if no note file is that long. A multiple of 64, so that the sequence is aligned.
    pub fn of(len: u64) -> Option<Layout> {
        let len = usize::try_from(len).ok()?;
        let fits = (SHORTEST_FILE..=LONGEST_FILE).contains(&len) && len.is_multiple_of(TRAILER);
        fits.then_some(Layout { len })
    }

    /// How long the file is.
    pub fn len(self) -> usize {
        self.len
    }

    /// Where the trailer begins; also how many bytes the text has, its NUL included.
    pub fn trailer(self) -> usize {
        self.len - TRAILER
    }

    /// How many bytes of text there is room for, the NUL not counted.
    pub fn capacity(self) -> usize {
        self.trailer() - 1
    }

    /// Where the sequence is.
    pub fn sequence(self) -> usize {
        self.trailer() + SEQUENCE
    }

    /// Whether a view of the whole file ends in a trailer of ours just now.
    pub fn is_note(self, file: ReadView<'_>) -> bool {
        let mut bytes = [0; SEQUENCE];
        file.read(self.trailer(), &mut bytes).is_ok() && is_trailer(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_sequence_is_aligned_and_behind_the_text(len in 0..40_000u64) {
            match Layout::of(len) {
                Some(layout) => {
                    prop_assert!(layout.sequence().is_multiple_of(4));
                    prop_assert!(layout.capacity() < layout.trailer());
                    prop_assert!(layout.sequence() + 4 <= layout.len);
                }
                None => prop_assert!(len < 128 || len % 64 != 0),
            }
        }
    }

    #[test]
    fn the_magic_of_another_byte_order_is_not_ours() {
        let mut bytes = fresh_trailer();
        assert!(is_trailer(&bytes));
        bytes[8..12].reverse();
        assert!(!is_trailer(&bytes));
    }

    #[test]
    fn what_a_cut_leaves_of_a_trailer_is_known_by_its_zeros() {
        let whole = abandoned_trailer();
        for keep in 0..TRAILER {
            let mut grown = [0; TRAILER];
            grown[..keep].copy_from_slice(&whole[..keep]);
            assert_eq!(is_cut_trailer(&grown), keep < 9, "version 1 has zeros behind its 1");
            assert_eq!(is_cut_trailer(&whole[..keep]), keep < SEQUENCE);
        }
        let mut stored = [0; TRAILER];
        stored[SEQUENCE] = 8;
        assert!(is_cut_trailer(&stored));
        assert!(!is_cut_trailer(&[b'x'; TRAILER]) && !is_cut_trailer(b"ipc-memo\0\0"));
        assert!(is_trailer(&whole));
    }

    #[test]
    fn endless_files_are_no_notes() {
        assert_eq!(Layout::of(u64::MAX), None);
        assert_eq!(Layout::of(LONGEST_FILE as u64 + 64), None);
    }
}
