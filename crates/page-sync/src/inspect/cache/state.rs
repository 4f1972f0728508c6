//! What cachestat(2) says about pages: numbers for many, a state for one.

use crate::inspect::Answer;
use crate::sys::page_cache::CacheStat;

/// Numbers of pages in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// How many were asked about.
    pub pages: u64,
    /// In the page cache.
    pub cached: u64,
    /// In it, and changed since they were last written.
    pub dirty: Answer<u64>,
    /// Just being written. Such a page may be dirty again already.
    pub writeback: Answer<u64>,
    /// Once in it and dropped; the kernel keeps a trace of that for a while. On tmpfs: swapped out.
    pub evicted: u64,
    /// Those of them that would still be there if there were a little more memory.
    pub recently_evicted: u64,
}

/// What a page of a file is, to the page cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PageState {
    /// Not in it: never read, a hole, or dropped without a trace.
    Absent,
    /// Dropped some time ago. On tmpfs: swapped out.
    Evicted,
    /// In it, and the same as what was handed to the device.
    Clean,
    /// In it, and changed since: lost at a power cut. It, or a page that the kernel keeps with it as
    /// one folio: which of them, the kernel does not know.
    Dirty,
    /// Just being written.
    Writeback,
    /// Just being written, and changed since that began: it will have to be written once more.
    WritebackDirty,
    /// In it; whether it is dirty cannot be seen here ([`Cache::shows_dirty`](super::Cache)).
    Cached,
}

impl PageState {
    /// Whether it is in the page cache.
    pub fn is_cached(self) -> bool {
        !matches!(self, PageState::Absent | PageState::Evicted)
    }

    /// Whether it has changes that no device has: `None` where that cannot be seen.
    pub fn is_dirty(self) -> Option<bool> {
        match self {
            PageState::Cached => None,
            PageState::Dirty | PageState::WritebackDirty => Some(true),
            _ => Some(false),
        }
    }

    /// Whether it is being written: `None` where that cannot be seen.
    pub fn is_writeback(self) -> Option<bool> {
        match self {
            PageState::Cached => None,
            PageState::Writeback | PageState::WritebackDirty => Some(true),
            _ => Some(false),
        }
    }

    /// What all of `pages` pages are, if they are all the same. One page always is; should the
    /// counts of one contradict each other, since it changed while it was looked at, the more
    /// urgent state stands.
    pub(super) fn of_all(pages: u64, found: &CacheStat, shows_dirty: bool) -> Option<PageState> {
        let all = |number: u64| match number {
            0 => Some(false),
            _ if number >= pages => Some(true),
            _ => None,
        };
        let (cached, evicted) = (all(found.cached)?, all(found.evicted)?);
        let (dirty, writeback) = match shows_dirty {
            true => (all(found.dirty)?, all(found.writeback)?),
            false => (false, false),
        };
        Some(match (cached, dirty, writeback, evicted) {
            (true, ..) if !shows_dirty => PageState::Cached,
            (true, true, true, _) => PageState::WritebackDirty,
            (true, true, false, _) => PageState::Dirty,
            (true, false, true, _) => PageState::Writeback,
            (true, false, false, _) => PageState::Clean,
            (false, _, _, true) => PageState::Evicted,
            (false, _, _, false) => PageState::Absent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_the_same_only_if_every_number_is_all_or_nothing() {
        let found = |cached, dirty, writeback, evicted| {
            let found = CacheStat { cached, dirty, writeback, evicted, recently_evicted: 0 };
            PageState::of_all(4, &found, true)
        };
        assert_eq!(found(0, 0, 0, 0), Some(PageState::Absent));
        assert_eq!(found(0, 0, 0, 4), Some(PageState::Evicted));
        assert_eq!(found(4, 0, 0, 0), Some(PageState::Clean));
        assert_eq!(found(4, 4, 0, 0), Some(PageState::Dirty));
        assert_eq!(found(4, 0, 4, 0), Some(PageState::Writeback));
        assert_eq!(found(4, 4, 4, 0), Some(PageState::WritebackDirty));
        for mixed in [(3, 0, 0, 0), (4, 1, 0, 0), (4, 0, 3, 0), (0, 0, 0, 1), (2, 2, 0, 2)] {
            assert_eq!(found(mixed.0, mixed.1, mixed.2, mixed.3), None, "{mixed:?}");
        }
    }

    #[test]
    fn where_dirty_is_not_shown_a_page_is_never_called_clean() {
        let found = CacheStat { cached: 4, ..CacheStat::default() };
        let state = PageState::of_all(4, &found, false).unwrap();
        assert_eq!((state, state.is_dirty()), (PageState::Cached, None));
        assert!(state.is_cached());
    }
}
