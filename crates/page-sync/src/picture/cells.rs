//! Folding: a cell of the picture stands for as many pages as it has to, and counts them.

use std::ops::Range;

use super::{Face, Look, Mapped, Memory, Page};
use crate::inspect::cache::{Counts, PageState};
use crate::inspect::{Answer, Runs};

/// Numbers of pages. One page may count in several: dirty and under writeback, or mapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub pages: u64,
    /// Of which it is not known whether they are in memory.
    pub unknown: u64,
    /// In memory.
    pub cached: u64,
    /// In memory, and it cannot be seen whether they are dirty.
    pub dirt_unknown: u64,
    /// In memory and dirty.
    pub dirty: u64,
    /// Being written.
    pub writeback: u64,
    /// Not in memory any more.
    pub evicted: u64,
    /// Mapped by a process that was looked into.
    pub mapped: u64,
    /// Of which such a process has a private copy.
    pub copies: u64,
}

impl Tally {
    fn add(&mut self, page: Page, count: u64) {
        self.pages += count;
        self.add_mapped(page.mapped, count);
        let Memory::Is(state) = page.memory else {
            self.unknown += count;
            return;
        };
        let when = |is: bool| if is { count } else { 0 };
        self.cached += when(state.is_cached());
        self.dirt_unknown += when(state.is_dirty().is_none());
        self.dirty += when(state.is_dirty() == Some(true));
        self.writeback += when(state.is_writeback() == Some(true));
        self.evicted += when(state == PageState::Evicted);
    }

    fn add_mapped(&mut self, mapped: Mapped, count: u64) {
        self.mapped += if mapped.by > 0 { count } else { 0 };
        self.copies += if mapped.copies > 0 { count } else { 0 };
    }

    /// The same pages, as one call to cachestat(2) counts them.
    fn of_counts(pages: u64, counts: &Answer<Counts>) -> Tally {
        let Answer::Known(counts) = counts else {
            return Tally { pages, unknown: pages, ..Tally::default() };
        };
        // They were counted while others went on: no more than there are.
        let number = |count: u64| count.min(pages);
        let dirty = counts.dirty.known();
        Tally {
            pages,
            cached: number(counts.cached),
            dirt_unknown: if dirty.is_none() { number(counts.cached) } else { 0 },
            dirty: number(dirty.unwrap_or(0)),
            writeback: number(counts.writeback.known().unwrap_or(0)),
            evicted: number(counts.evicted),
            ..Tally::default()
        }
    }
}

/// A cell of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Which pages of the file it stands for.
    pub pages: Range<u64>,
    /// How many of them are in which state.
    pub tally: Tally,
}

impl Cell {
    /// What it shows.
    pub fn look(&self) -> Look {
        Look::of(&self.tally)
    }
}

/// A file's pages, folded.
///
/// ```
/// use page_sync::inspect::{Runs, cache::PageState};
/// use page_sync::picture::{Cells, Face, Mapped, Memory, Page};
///
/// let page = |state| Page { memory: Memory::Is(state), mapped: Mapped::default() };
/// let mut pages = Runs::from(0);
/// pages.push(12_345, page(PageState::Clean));
/// pages.push(1, page(PageState::Dirty));
/// pages.push(987_654, page(PageState::Clean));
///
/// let cells = Cells::fold(&pages, 64);
/// assert_eq!((cells.pages_per_cell(), cells.cells().len()), (16_384, 62));
/// let first = &cells.cells()[0];
/// assert_eq!((first.tally.dirty, first.look().face), (1, Face::Dirty));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    pages_per_cell: u64,
    cells: Vec<Cell>,
}

impl Cells {
    /// So many pages in at most so many cells, of which each but the last stands for the same
    /// number of pages: a power of two, so that cells do not cut folios in half. Nothing is counted
    /// yet.
    fn blank(pages: u64, at_most: u64) -> Cells {
        let at_most = at_most.max(1);
        // At most 2⁶³: there are no more pages than bytes in a file.
        let per_cell = pages.div_ceil(at_most).checked_next_power_of_two().unwrap_or(1 << 63);
        let count = pages.div_ceil(per_cell);
        let cell = |at: u64| {
            let start = at * per_cell;
            Cell {
                pages: start..pages.min(start.saturating_add(per_cell)),
                tally: Tally::default(),
            }
        };
        Cells { pages_per_cell: per_cell, cells: (0..count).map(cell).collect() }
    }

    /// Folds pages that are numbered from 0 on.
    pub fn fold(pages: &Runs<Page>, at_most: u64) -> Cells {
        let mut cells = Cells::blank(pages.end(), at_most);
        cells.each(pages, Tally::add);
        cells
    }

    /// Folds by asking about each cell at once: for pictures that are drawn several times a second.
    pub fn ask(
        pages: u64,
        at_most: u64,
        mut count: impl FnMut(Range<u64>) -> Answer<Counts>,
    ) -> Cells {
        let mut cells = Cells::blank(pages, at_most);
        for cell in &mut cells.cells {
            let pages = cell.pages.end - cell.pages.start;
            cell.tally = Tally::of_counts(pages, &count(cell.pages.clone()));
        }
        cells
    }

    /// Adds who maps the pages. A page that is mapped is in memory, whatever could not be said
    /// before.
    pub fn add_mapped(&mut self, mapped: &Runs<Mapped>) {
        self.each(mapped, Tally::add_mapped);
        for Cell { tally, .. } in &mut self.cells {
            let silent = tally.mapped.saturating_sub(tally.cached).min(tally.unknown);
            tally.unknown -= silent;
            tally.cached += silent;
            tally.dirt_unknown += silent;
        }
    }

    fn each<T: Copy + PartialEq>(&mut self, runs: &Runs<T>, add: impl Fn(&mut Tally, T, u64)) {
        for (pages, value) in runs.iter() {
            let first = (pages.start / self.pages_per_cell) as usize;
            for cell in self.cells.iter_mut().skip(first) {
                let start = cell.pages.start.max(pages.start);
                let end = cell.pages.end.min(pages.end);
                if start >= end {
                    break;
                }
                add(&mut cell.tally, value, end - start);
            }
        }
    }

    /// How many pages a cell stands for; the last one perhaps for fewer.
    pub fn pages_per_cell(&self) -> u64 {
        self.pages_per_cell
    }

    /// The cells, in the order of the file. None for an empty file.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// All of it in numbers.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for Cell { tally, .. } in &self.cells {
            total.pages += tally.pages;
            total.unknown += tally.unknown;
            total.cached += tally.cached;
            total.dirt_unknown += tally.dirt_unknown;
            total.dirty += tally.dirty;
            total.writeback += tally.writeback;
            total.evicted += tally.evicted;
            total.mapped += tally.mapped;
            total.copies += tally.copies;
        }
        total
    }

    /// Every way to look that occurs, in the order of [`Face::ALL`], and how many pages are so: what
    /// a legend has to explain.
    pub fn looks(&self) -> Vec<(Face, u64)> {
        let total = self.total();
        let count = |face: Face| face.count(&total);
        Face::ALL.into_iter().map(|face| (face, count(face))).filter(|(_, n)| *n > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATES: [PageState; 7] = [
        PageState::Absent,
        PageState::Evicted,
        PageState::Clean,
        PageState::Dirty,
        PageState::Writeback,
        PageState::WritebackDirty,
        PageState::Cached,
    ];

    fn any_page() -> impl Strategy<Value = Page> {
        (0..8usize, 0..3u32, 0..2u32).prop_map(|(state, by, copies)| {
            let memory = STATES.get(state).map_or(Memory::Unknown, |state| Memory::Is(*state));
            Page::of(memory, Mapped { by, copies, exclusive: false })
        })
    }

    fn any_runs() -> impl Strategy<Value = Vec<(u64, Page)>> {
        proptest::collection::vec((1..400u64, any_page()), 0..20)
    }

    fn runs_of(parts: &[(u64, Page)]) -> Runs<Page> {
        let mut runs = Runs::from(0);
        parts.iter().for_each(|(count, page)| runs.push(*count, *page));
        runs
    }

    proptest! {
        #[test]
        fn folding_counts_each_page_once(parts in any_runs(), at_most in 1..100u64) {
            let runs = runs_of(&parts);
            let cells = Cells::fold(&runs, at_most);
            prop_assert!(cells.cells().len() as u64 <= at_most);
            prop_assert!(cells.pages_per_cell().is_power_of_two());
            let mut next = 0;
            for cell in cells.cells() {
                prop_assert_eq!(cell.pages.start, next);
                prop_assert_eq!(cell.tally.pages, cell.pages.end - cell.pages.start);
                next = cell.pages.end;
                // Page by page, as slowly and as surely as can be.
                let mut expected = Tally::default();
                cell.pages.clone().for_each(|page| expected.add(runs.get(page).unwrap(), 1));
                prop_assert_eq!(cell.tally, expected);
            }
            prop_assert_eq!(next, runs.pages());
        }

        #[test]
        fn no_urgent_page_is_folded_away(
            clean in 1..1_000_000_000_000u64, before in 0..1_000_000u64, at_most in 1..2000u64,
        ) {
            let page = |state| Page { memory: Memory::Is(state), mapped: Mapped::default() };
            for (state, face) in [
                (PageState::Dirty, Face::Dirty),
                (PageState::Writeback, Face::Writeback),
                (PageState::WritebackDirty, Face::Dirty),
            ] {
                let parts =
                    [(before, page(PageState::Clean)), (1, page(state)), (clean, page(PageState::Absent))];
                let cells = Cells::fold(&runs_of(&parts), at_most);
                let shown = cells.cells().iter().filter(|cell| cell.look().face == face);
                prop_assert_eq!(shown.count(), 1);
            }
        }

        #[test]
        fn asking_cell_by_cell_shows_the_same_faces(parts in any_runs(), at_most in 1..100u64) {
            // Without what one call cannot count: unknown pages, and dirt that is not shown.
            let parts: Vec<_> = parts
                .into_iter()
                .filter(|(_, page)| !matches!(page.memory, Memory::Unknown | Memory::Is(PageState::Cached)))
                .collect();
            let runs = runs_of(&parts);
            let folded = Cells::fold(&runs, at_most);
            let count = |is: &dyn Fn(PageState) -> bool, pages: &Range<u64>| {
                pages.clone().filter(|page| match runs.get(*page).unwrap().memory {
                    Memory::Is(state) => is(state),
                    Memory::Unknown => false,
                }).count() as u64
            };
            let mut asked = Cells::ask(runs.pages(), at_most, |pages| Answer::Known(Counts {
                pages: pages.end - pages.start,
                cached: count(&PageState::is_cached, &pages),
                dirty: Answer::Known(count(&|state| state.is_dirty() == Some(true), &pages)),
                writeback: Answer::Known(count(&|state| state.is_writeback() == Some(true), &pages)),
                evicted: count(&|state| state == PageState::Evicted, &pages),
                recently_evicted: 0,
            }));
            asked.add_mapped(&runs.map(|page| page.mapped));
            prop_assert_eq!(asked, folded);
        }
    }

    #[test]
    fn an_empty_file_has_no_cells_and_the_largest_has_some() {
        assert!(Cells::fold(&Runs::from(0), 64).cells().is_empty());
        let absent = Page { memory: Memory::Is(PageState::Absent), mapped: Mapped::default() };
        let largest = Cells::fold(&Runs::of(0..u64::MAX, absent), 64);
        assert_eq!(largest.total().pages, u64::MAX);
        assert_eq!(Cells::fold(&Runs::of(0..1, absent), 64).cells().len(), 1);
    }
}
