//! Numbers of pages by what they are.

use super::{Mapped, Memory, Page};
use crate::inspect::Answer;
use crate::inspect::cache::{Counts, PageState};

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
    /// Of those, dirty again already: they count in `dirty` and in `writeback`. At least so many.
    pub both: u64,
    /// How many more of them may be so. One call that counts many pages does not say which are
    /// which.
    pub perhaps_both: u64,
    /// Not in memory any more.
    pub evicted: u64,
    /// Mapped by a process that was looked into.
    pub mapped: u64,
    /// Of which such a process has a private copy.
    pub copies: u64,
}

impl Tally {
    pub(super) fn add(&mut self, page: Page, count: u64) {
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
        self.both += when(state == PageState::WritebackDirty);
        self.evicted += when(state == PageState::Evicted);
    }

    pub(super) fn add_mapped(&mut self, mapped: Mapped, count: u64) {
        self.mapped += if mapped.by > 0 { count } else { 0 };
        self.copies += if mapped.copies > 0 { count } else { 0 };
    }

    /// The same pages, as one call to cachestat(2) counts them.
    pub(super) fn of_counts(pages: u64, counts: &Answer<Counts>) -> Tally {
        let Answer::Known(counts) = counts else {
            return Tally { pages, unknown: pages, ..Tally::default() };
        };
        // They were counted while others went on: no more than there are.
        let number = |count: u64| count.min(pages);
        let cached = number(counts.cached);
        let dirty = number(counts.dirty.known().unwrap_or(0));
        let writeback = number(counts.writeback.known().unwrap_or(0));
        let both = (dirty + writeback).saturating_sub(cached);
        Tally {
            pages,
            cached,
            dirt_unknown: if counts.dirty.is_known() { 0 } else { cached },
            dirty,
            writeback,
            both,
            perhaps_both: dirty.min(writeback).saturating_sub(both),
            evicted: number(counts.evicted),
            ..Tally::default()
        }
    }

    /// A page that is mapped is in memory, whatever could not be said before.
    pub(super) fn trust_mapped(&mut self) {
        let silent = self.mapped.saturating_sub(self.cached).min(self.unknown);
        self.unknown -= silent;
        self.cached += silent;
        self.dirt_unknown += silent;
    }

    /// Those of both.
    #[must_use]
    pub fn and(self, other: Tally) -> Tally {
        Tally {
            pages: self.pages + other.pages,
            unknown: self.unknown + other.unknown,
            cached: self.cached + other.cached,
            dirt_unknown: self.dirt_unknown + other.dirt_unknown,
            dirty: self.dirty + other.dirty,
            writeback: self.writeback + other.writeback,
            both: self.both + other.both,
            perhaps_both: self.perhaps_both + other.perhaps_both,
            evicted: self.evicted + other.evicted,
            mapped: self.mapped + other.mapped,
            copies: self.copies + other.copies,
        }
    }
}
