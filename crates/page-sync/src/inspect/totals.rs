//! How much of a mapping is in memory, in all: /proc/PID/smaps (proc_pid_smaps(5)).
//!
//! True for: sums. "Private" and "shared" count page tables, and have nothing to do with
//! MAP_PRIVATE and MAP_SHARED: a page of a MAP_SHARED mapping that only one process has mapped is
//! `Private_Dirty` there. "Dirty" means dirty in the page cache, whoever wrote it, or written through
//! this page table and not yet noticed there.

use std::fs;
use std::iter::Sum;
use std::ops::{Add, Range};

use mmap_file::Mapping;

use super::pagemap::reason;
use super::{Answer, Reason};

/// Sums over mappings, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Mapped just now (`Rss`).
    pub resident: u64,
    /// The same, where a page that n page tables have counts 1/n (`Pss`).
    pub proportional: u64,
    /// In several page tables, not dirty (`Shared_Clean`).
    pub shared_clean: u64,
    /// In several page tables, dirty (`Shared_Dirty`).
    pub shared_dirty: u64,
    /// In this page table only, not dirty (`Private_Clean`).
    pub private_clean: u64,
    /// In this page table only, dirty (`Private_Dirty`).
    pub private_dirty: u64,
    /// Of no file: private copies, for a mapping of one (`Anonymous`).
    pub anonymous: u64,
    /// In the swap area (`Swap`).
    pub swapped: u64,
}

impl Totals {
    fn field(&mut self, name: &str) -> Option<&mut u64> {
        Some(match name {
            "Rss" => &mut self.resident,
            "Pss" => &mut self.proportional,
            "Shared_Clean" => &mut self.shared_clean,
            "Shared_Dirty" => &mut self.shared_dirty,
            "Private_Clean" => &mut self.private_clean,
            "Private_Dirty" => &mut self.private_dirty,
            "Anonymous" => &mut self.anonymous,
            "Swap" => &mut self.swapped,
            _ => return None,
        })
    }
}

impl Add for Totals {
    type Output = Totals;

    fn add(self, other: Totals) -> Totals {
        Totals {
            resident: self.resident + other.resident,
            proportional: self.proportional + other.proportional,
            shared_clean: self.shared_clean + other.shared_clean,
            shared_dirty: self.shared_dirty + other.shared_dirty,
            private_clean: self.private_clean + other.private_clean,
            private_dirty: self.private_dirty + other.private_dirty,
            anonymous: self.anonymous + other.anonymous,
            swapped: self.swapped + other.swapped,
        }
    }
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Totals>>(totals: I) -> Totals {
        totals.fold(Totals::default(), Add::add)
    }
}

/// The sums over those mappings of a process that begin in one of these ranges of addresses.
pub fn of(pid: u32, addresses: &[Range<u64>]) -> Answer<Totals> {
    let smaps = match fs::read(format!("/proc/{pid}/smaps")) {
        Ok(smaps) => smaps,
        Err(error) => return Answer::Unknown(reason(&error, pid)),
    };
    let ours = |start: u64| addresses.iter().any(|range| range.contains(&start));
    let mut found = parse(&smaps).filter(|(start, _)| ours(*start)).map(|(_, totals)| totals);
    match found.next() {
        Some(first) => Answer::Known(found.fold(first, Add::add)),
        None => Answer::Unknown(Reason::NotMapped { pid }),
    }
}

/// The sums over a mapping of ours. Should the kernel have joined it with a neighbour that maps what
/// follows in the file, it is both of them.
pub fn of_mapping(mapping: &Mapping) -> Answer<Totals> {
    match mmap_file::maps::listing_of(mapping) {
        Ok(listed) => of(std::process::id(), std::slice::from_ref(&(listed.start..listed.end))),
        Err(error) => Answer::Unknown(Reason::Failed { call: error.call(), errno: error.errno() }),
    }
}

/// Each mapping's first address, and its sums.
fn parse(smaps: &[u8]) -> impl Iterator<Item = (u64, Totals)> {
    let mut lines = smaps.split(|byte| *byte == b'\n').peekable();
    std::iter::from_fn(move || {
        let start = lines.find_map(mapping_line)?;
        let mut totals = Totals::default();
        while let Some(line) = lines.next_if(|line| mapping_line(line).is_none()) {
            if let Some((name, bytes)) = figure(line)
                && let Some(field) = totals.field(name)
            {
                *field = bytes;
            }
        }
        Some((start, totals))
    })
}

/// `7f1c2a000000-7f1c2a021000 rw-p …`: its first address.
fn mapping_line(line: &[u8]) -> Option<u64> {
    let first = line.split(|byte| *byte == b' ').next()?;
    let (start, end) = std::str::from_utf8(first).ok()?.split_once('-')?;
    u64::from_str_radix(end, 16).ok()?;
    u64::from_str_radix(start, 16).ok()
}

/// `Rss:                  12 kB`, where the kernel means KiB.
fn figure(line: &[u8]) -> Option<(&str, u64)> {
    let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((name, kib.saturating_mul(1024)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sums_are_read_for_the_mapping_they_stand_under() {
        let smaps = b"1000-2000 rw-s 00000000 fe:00 1   /a: b\nRss:      8 kB\nPss: 4 kB\n\
            VmFlags: rd wr\n2000-3000 rw-p 00000000 00:00 0\nRss:  16 kB\nSwap: 4 kB\n";
        let found: Vec<_> = parse(smaps).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].0, found[0].1.resident, found[0].1.proportional),
            (0x1000, 8192, 4096)
        );
        assert_eq!((found[1].0, found[1].1.resident, found[1].1.swapped), (0x2000, 16384, 4096));
        let sum: Totals = found.into_iter().map(|(_, totals)| totals).sum();
        assert_eq!(sum.resident, 24576);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(smaps: Vec<u8>) {
            let _ = parse(&smaps).count();
        }
    }
}
