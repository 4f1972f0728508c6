//! What is known about one page, put together from what the sources say.

use crate::inspect::cache::PageState;
use crate::inspect::pagemap::{Entry, State};

/// What is known about one page of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    /// Whether it is in memory, and how.
    pub memory: Memory,
    /// Who has it mapped, of the processes that were looked into.
    pub mapped: Mapped,
}

/// Whether a page is in memory, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Memory {
    /// No source says.
    Unknown,
    /// The page cache says.
    Is(PageState),
}

/// How many of the processes that were looked into have a page mapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mapped {
    /// The file's own page.
    pub by: u32,
    /// A copy of it, made when they wrote to a private mapping.
    pub copies: u32,
    /// One page table has it and no other in the system, those of strangers included.
    pub exclusive: bool,
}

/// What a page of the file is, to one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InProcess {
    /// Not mapped: the next touch faults, if the process maps this part of the file at all.
    #[default]
    No,
    /// The file's own page.
    Page {
        /// No other page table has it.
        exclusive: bool,
    },
    /// A private copy.
    Copy {
        /// No other page table has it: no child made by fork, above all.
        exclusive: bool,
    },
    /// A private copy that is in the swap area, or on its way.
    Swapped,
    /// The file's own page, which is just being moved in memory ([`State::Moving`]).
    Moving,
    /// A guard: touching it is SIGSEGV.
    Guard,
}

impl InProcess {
    /// From an entry of the process's page table.
    pub fn of(entry: Entry) -> InProcess {
        let exclusive = entry.exclusive();
        match entry.state() {
            State::Present if entry.is_file_page() => InProcess::Page { exclusive },
            State::Present => InProcess::Copy { exclusive },
            State::Guard => InProcess::Guard,
            State::Swapped => InProcess::Swapped,
            State::Moving => InProcess::Moving,
            State::Absent | State::Marked => InProcess::No,
        }
    }

    /// What is true of both, for a process that maps the same page twice.
    #[must_use]
    pub fn or(self, other: InProcess) -> InProcess {
        use InProcess::{Copy, Guard, Moving, No, Page, Swapped};
        match (self, other) {
            // Two entries, if of one process: more than one page table entry has it.
            (Page { .. }, Page { .. }) => Page { exclusive: false },
            (page @ Page { .. }, _) | (_, page @ Page { .. }) => page,
            (copy @ Copy { .. }, _) | (_, copy @ Copy { .. }) => copy,
            (Moving, _) | (_, Moving) => Moving,
            (Swapped, _) | (_, Swapped) => Swapped,
            (Guard, _) | (_, Guard) => Guard,
            (No, No) => No,
        }
    }
}

impl Mapped {
    /// With what one more process says.
    #[must_use]
    pub fn and(self, one: InProcess) -> Mapped {
        match one {
            InProcess::Page { exclusive } => Mapped { by: self.by + 1, exclusive, ..self },
            InProcess::Copy { .. } | InProcess::Swapped => {
                Mapped { copies: self.copies + 1, ..self }
            }
            InProcess::No | InProcess::Moving | InProcess::Guard => self,
        }
    }
}

impl Page {
    /// Put together. A page that a process has mapped is in memory, whatever the cache could not
    /// say, or said a moment before.
    pub fn of(memory: Memory, mapped: Mapped) -> Page {
        let cached = matches!(memory, Memory::Is(state) if state.is_cached());
        let memory = match mapped.by {
            0 => memory,
            _ if cached => memory,
            _ => Memory::Is(PageState::Cached),
        };
        Page { memory, mapped }
    }
}

impl Memory {
    /// One word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Memory::Unknown => "unknown",
            Memory::Is(PageState::Absent) => "absent",
            Memory::Is(PageState::Evicted) => "evicted",
            Memory::Is(PageState::Clean) => "clean",
            Memory::Is(PageState::Dirty) => "dirty",
            Memory::Is(PageState::Writeback) => "writeback",
            Memory::Is(PageState::WritebackDirty) => "writeback-dirty",
            Memory::Is(PageState::Cached) => "cached",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_mapped_is_in_memory() {
        let mapped = Mapped::default().and(InProcess::Page { exclusive: true });
        assert_eq!(Page::of(Memory::Unknown, mapped).memory, Memory::Is(PageState::Cached));
        let dirty = Memory::Is(PageState::Dirty);
        assert_eq!(Page::of(dirty, mapped).memory, dirty);
        // A copy says nothing about the file's own page.
        let copy = Mapped::default().and(InProcess::Copy { exclusive: true });
        assert_eq!(Page::of(Memory::Unknown, copy).memory, Memory::Unknown);
    }

    #[test]
    fn processes_are_counted_and_copies_apart() {
        let mapped = Mapped::default()
            .and(InProcess::Page { exclusive: false })
            .and(InProcess::Copy { exclusive: true })
            .and(InProcess::Page { exclusive: false })
            .and(InProcess::Moving)
            .and(InProcess::Guard);
        assert_eq!(mapped, Mapped { by: 2, copies: 1, exclusive: false });
    }
}
