//! Where an address lies.

use std::fmt;

use super::words;
use crate::maps::Listed;

/// What lies at an address of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// In a mapping.
    Mapped(&'a Listed),
    /// At NULL or so many bytes behind it, where a program may map nothing (`vm.mmap_min_addr`).
    Null {
        /// Bytes from address 0.
        offset: usize,
    },
    /// Between mappings, where one could be made.
    Gap {
        /// The nearest mapping below.
        below: Option<&'a Listed>,
        /// The nearest mapping above.
        above: Option<&'a Listed>,
    },
    /// In the kernel's half of the address space.
    Kernel {
        /// Bytes up to the end of the address space: -1 as a pointer has 1.
        from_end: usize,
    },
    /// In the hole between the halves, where no page can be (x86-64: not canonical).
    Nowhere,
}

impl Place<'_> {
    /// In a gap: the nearer of the two neighbours, in words, with the distance.
    pub(super) fn nearest(&self, address: usize) -> Option<String> {
        let Place::Gap { below, above } = *self else { return None };
        let past = below.map(|listed| (address - listed.end, "past the end of", listed));
        let before = above.map(|listed| (listed.start - address, "before the start of", listed));
        let (distance, which, listed) =
            past.into_iter().chain(before).min_by_key(|(distance, ..)| *distance)?;
        Some(format!("{} {which} {}", words::bytes(distance as u64), listed.what()))
    }
}

/// Without the address: `page 3 of notes.dat, mapped read write, shared`.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Mapped(listed) => {
                let sharing = if listed.shared { "shared" } else { "private" };
                write!(f, "{}, mapped {}, {sharing}", listed.what(), listed.protection())
            }
            Place::Null { offset: 0 } => f.write_str("NULL; nothing is mapped"),
            Place::Null { offset } => write!(f, "NULL plus {offset}; nothing is mapped"),
            Place::Gap { .. } => f.write_str("nothing is mapped"),
            Place::Kernel { .. } => f.write_str("the kernel's half of the address space"),
            Place::Nowhere => f.write_str("no page can have this address"),
        }
    }
}
