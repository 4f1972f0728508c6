//! Pages in the way, so that the kernel's next mapping begins elsewhere.
//!
//! A trap: a round that maps, and unmaps again, gets the same address each time. So the figures of a
//! run agree with one another, and those of the next run, at another address, with none of them. For
//! where a mapping lies matters: a large folio is mapped whole, by one fault, only if all of it lies
//! behind one page table (2 MiB, with pages of 4 KiB); otherwise page by page. The kernel begins
//! mappings of 2 MiB and more at such a boundary, and shorter ones anywhere: in the highest gap that
//! is long enough.

use std::fs::read_to_string;
use std::ops::Range;

use ipc_common::PageSize;

use super::Map;

/// Reservations where the kernel would begin its next mapping: addresses, and nothing behind them.
#[derive(Debug, Default)]
pub struct Elsewhere {
    in_the_way: Option<Map>,
    /// In the gaps between mappings, of which the next one would otherwise take the first that fits.
    plugs: Vec<Map>,
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
        // Without /proc, without room: then the next mapping lies where it lies.
        let gaps = gaps(&read_to_string("/proc/self/maps").unwrap_or_default());
        self.plugs.extend(gaps.into_iter().filter_map(|gap| Map::reserved_at(gap).ok()));
        // By the golden ratio: however many places there are, they lie all over.
        let in_the_way = 1 + self.nth * (pages * 618 / 1000) % pages;
        self.nth += 1;
        self.in_the_way = Map::reserved(in_the_way * page).ok();
    }
}

/// The gaps between the mappings that the kernel has placed: above the largest gap of all, into which
/// it grows, and below the stack, which needs the one that it grows into.
fn gaps(maps: &str) -> Vec<Range<usize>> {
    let mapped = |line: &str| {
        let (from, to) = line.split_once(' ')?.0.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        Some(number(from)?..number(to)?)
    };
    let placed = maps.lines().take_while(|line| !line.ends_with("[stack]")).filter_map(mapped);
    let placed: Vec<_> = placed.collect();
    let between = placed.windows(2).map(|pair| pair[0].end..pair[1].start);
    let mut gaps: Vec<_> = between.filter(|gap| !gap.is_empty()).collect();
    let largest = gaps.iter().enumerate().max_by_key(|(_, gap)| gap.len()).map(|(nth, _)| nth);
    gaps.drain(..largest.map_or(0, |nth| nth + 1));
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_those_between_what_the_kernel_has_placed() {
        let maps = "1000-2000 r-xp 00000000 08:01 12 program\n\
                    3000-9000 rw-p 00000000 00:00 0 [heap]\n\
                    70000-71000 r--p 00000000 08:01 13 library\n\
                    71000-72000 r-xp 00000000 08:01 13 library\n\
                    75000-76000 rw-p 00000000 00:00 0\n\
                    7a000-7b000 rw-p 00000000 00:00 0\n\
                    90000-99000 rw-p 00000000 00:00 0 [stack]\n";
        assert_eq!(gaps(maps), [0x72000..0x75000, 0x76000..0x7a000]);
        assert!(gaps("").is_empty() && gaps("nonsense").is_empty());
    }
}
