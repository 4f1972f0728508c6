//! Pages in the way, so that the kernel's next mapping begins elsewhere.
//!
//! A trap: a round that maps, and unmaps again, gets the same address each time. So the figures of a
//! run agree with one another, and those of the next run, at another address, with none of them. For
//! where a mapping lies matters: a large folio is mapped whole, by one fault, only if all of it lies
//! behind one page table (2 MiB, with pages of 4 KiB); otherwise page by page. The kernel begins
//! mappings of 2 MiB and more at such a boundary, and shorter ones anywhere.

use ipc_common::PageSize;

use super::Map;

/// A reservation just where the kernel would begin its next mapping.
#[derive(Debug, Default)]
pub struct Elsewhere {
    in_the_way: Option<Map>,
    nth: usize,
}

impl Elsewhere {
    /// How many bytes one page table is for: beyond that, mappings are aligned anyway.
    pub fn reach() -> usize {
        let page = PageSize::system().bytes();
        page / size_of::<u64>() * page
    }

    /// From now on, mappings begin at another place modulo [`Elsewhere::reach`] than before.
    pub fn next(&mut self) {
        let page = PageSize::system().bytes();
        let pages = Elsewhere::reach() / page;
        self.in_the_way = None;
        // By the golden ratio: however many places there are, they lie all over.
        let in_the_way = 1 + self.nth * (pages * 618 / 1000) % pages;
        self.nth += 1;
        // Without room for it, the next mapping lies where it lies.
        self.in_the_way = Map::reserved(in_the_way * page).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn mappings_begin_all_over() {
        let mut elsewhere = Elsewhere::default();
        let half = Elsewhere::reach() / 2;
        let starts: Vec<usize> = (0..16)
            .map(|_| {
                elsewhere.next();
                let map = Map::anonymous(half, libc::MAP_SHARED).expect("there is room");
                map.start().addr() % Elsewhere::reach()
            })
            .collect();
        let different: BTreeSet<_> = starts.iter().collect();
        assert!(different.len() > 8, "{starts:x?}");
        let whole = starts.iter().filter(|start| **start <= half).count();
        assert!((3..=13).contains(&whole), "behind one page table, or two: {starts:x?}");
    }
}
