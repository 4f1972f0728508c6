//! What a cell shows. One letter each, so that no picture depends on colours.

use super::Tally;

/// The most urgent state among a cell's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Face {
    /// Changed, and no device has the changes: this page, or one that the kernel keeps with it as
    /// one folio.
    Dirty,
    /// Being written.
    Writeback,
    /// A process has a private copy, and nothing more urgent is to be seen.
    Private,
    /// In memory, and the same as what was handed to the device.
    Clean,
    /// In memory; whether dirty cannot be seen.
    Cached,
    /// Was in memory, and was dropped.
    Evicted,
    /// Not in memory.
    Absent,
    /// Not known.
    Unknown,
}

use Face::{Absent, Cached, Clean, Dirty, Evicted, Private, Unknown, Writeback};

impl Face {
    /// All of them, the most urgent first.
    pub const ALL: [Face; 8] = [Dirty, Writeback, Private, Clean, Cached, Evicted, Absent, Unknown];

    /// Its letter, a small one if no process has the page mapped.
    pub fn letter(self, mapped: bool) -> char {
        let small = match self {
            Dirty => 'd',
            Writeback => 'w',
            Private => 'p',
            Clean => 'c',
            Cached => 'r',
            Evicted => 'e',
            Absent => '.',
            Unknown => '?',
        };
        if mapped { small.to_ascii_uppercase() } else { small }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Dirty => "dirty",
            Writeback => "being written",
            Private => "private copy",
            Clean => "clean",
            Cached => "resident",
            Evicted => "evicted",
            Absent => "not in memory",
            Unknown => "unknown",
        }
    }

    /// What it means, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Dirty => "it, or a page kept with it, was changed; not yet on its way to the device",
            Writeback => "on its way to the device just now",
            Private => "a process wrote to its private mapping, and has a page of its own",
            Clean => "in memory, the same as what the device was given",
            Cached => "in memory; whether it is dirty is not shown",
            Evicted => "was in memory; dropped, so the next touch reads it again",
            Absent => "the next touch reads it from the device, or finds a hole",
            Unknown => "the sources below say why",
        }
    }

    /// How many pages of a tally are so. A page that is dirty and being written counts as both. At
    /// least so many, where [`is_at_least`](Face::is_at_least) says so.
    pub fn count(self, tally: &Tally) -> u64 {
        let clean = || {
            let urgent = (tally.dirty + tally.writeback).saturating_sub(tally.both);
            tally.cached.saturating_sub(tally.dirt_unknown + urgent)
        };
        match self {
            Dirty => tally.dirty,
            Writeback => tally.writeback,
            Private => tally.copies,
            Clean => clean(),
            Cached => tally.dirt_unknown,
            Evicted => tally.evicted,
            Unknown => tally.unknown,
            Absent => tally.pages - tally.pages.min(tally.cached + tally.evicted + tally.unknown),
        }
    }

    /// Whether there may be more of them than [`count`](Face::count) says: how many pages are dirty
    /// *and* being written cannot be told from a count of each, and the rest is clean.
    pub fn is_at_least(self, tally: &Tally) -> bool {
        self == Clean && tally.perhaps_both > 0
    }
}

/// How a cell looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    /// The most urgent state.
    pub face: Face,
    /// Whether all its pages are so.
    pub all: bool,
    /// Whether some of its pages are mapped by a process that was looked into.
    pub mapped: bool,
}

impl Look {
    /// That of these pages.
    pub fn of(tally: &Tally) -> Look {
        let face = Face::ALL.into_iter().find(|face| face.count(tally) > 0).unwrap_or(Absent);
        let all = face.count(tally) >= tally.pages;
        Look { face, all, mapped: tally.mapped > 0 || (face == Private && tally.copies > 0) }
    }

    /// Its letter.
    pub fn letter(self) -> char {
        self.face.letter(self.mapped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::Answer;
    use crate::inspect::cache::{Counts, PageState};
    use crate::picture::{Mapped, Memory, Page};

    #[test]
    fn letters_tell_all_faces_apart() {
        let letters: Vec<char> = Face::ALL.iter().map(|face| face.letter(false)).collect();
        for (at, letter) in letters.iter().enumerate() {
            assert!(!letters[..at].contains(letter), "{letter} stands for two things");
        }
        assert_eq!(Dirty.letter(true), 'D');
        assert_eq!(Absent.letter(true), '.');
    }

    #[test]
    fn one_dirty_page_among_ten_thousand_is_seen_but_not_all() {
        let tally = Tally { pages: 10_000, cached: 10_000, dirty: 1, ..Tally::default() };
        assert_eq!(Look::of(&tally), Look { face: Dirty, all: false, mapped: false });
    }

    #[test]
    fn a_page_that_is_dirty_and_being_written_is_taken_once_from_the_clean() {
        let is = |state| Page { memory: Memory::Is(state), mapped: Mapped::default() };
        let mut tally = Tally::default();
        tally.add(is(PageState::WritebackDirty), 3);
        tally.add(is(PageState::Clean), 2);
        let counts = Face::ALL.map(|face| face.count(&tally));
        assert_eq!(counts, [3, 3, 0, 2, 0, 0, 0, 0]);
        assert!(!Clean.is_at_least(&tally));
    }

    #[test]
    fn of_counts_alone_clean_is_at_least_so_many() {
        let counts = |cached, dirty, writeback| Counts {
            pages: 8,
            cached,
            dirty: Answer::Known(dirty),
            writeback: Answer::Known(writeback),
            evicted: 0,
            recently_evicted: 0,
        };
        let clean = |cached, dirty, writeback| {
            let tally = Tally::of_counts(8, &Answer::Known(counts(cached, dirty, writeback)));
            (Clean.count(&tally), Clean.is_at_least(&tally))
        };
        assert_eq!(clean(5, 3, 0), (2, false));
        assert_eq!(clean(5, 3, 1), (1, true), "2 if the one is among the three");
        assert_eq!(clean(5, 5, 5), (0, false), "all of them are both");
        assert_eq!(clean(5, 4, 4), (0, true), "3 are both for certain, and the fourth perhaps");
    }
}
