//! Folding: a cell of the picture stands for as many pages as it has to, and counts them.

use std::ops::Range;

use super::{Face, Look, Mapped, Page, Tally};
use crate::inspect::cache::Counts;
use crate::inspect::{Answer, Runs};

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
        self.cells.iter_mut().for_each(|cell| cell.tally.trust_mapped());
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
        self.cells.iter().map(|cell| cell.tally).fold(Tally::default(), Tally::and)
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
mod tests;
