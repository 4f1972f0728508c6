//! Who said what, and what it is true for: the small print below each picture.

use super::Survey;
use crate::inspect::cache::PageState;
use crate::inspect::{Answer, Reason};

/// A source, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The system call, or the file of /proc.
    pub name: &'static str,
    /// What it is true for, and what not.
    pub true_for: &'static str,
    /// What it said, in numbers.
    pub says: Answer<Said>,
}

/// What a source said, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Pages in memory.
    Resident(u64),
    /// Pages in memory and, of them, dirty ones, if that is shown.
    Cached(u64, Answer<u64>),
    /// Processes that were looked into, and those that may not be.
    Processes(usize, Answer<usize>),
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pages = |number: u64| if number == 1 { "page" } else { "pages" };
        let processes = |number: usize| if number == 1 { "process" } else { "processes" };
        match self {
            Said::Resident(number) => write!(f, "{number} {} in memory", pages(*number)),
            Said::Cached(number, Answer::Known(dirty)) => {
                write!(f, "{number} {} in memory, {dirty} dirty", pages(*number))
            }
            Said::Cached(number, Answer::Unknown(reason)) => {
                write!(f, "{number} {} in memory; dirty: {reason}", pages(*number))
            }
            Said::Processes(number, closed) => {
                write!(f, "{number} {} looked into", processes(*number))?;
                match closed {
                    Answer::Known(0) => Ok(()),
                    Answer::Known(1) => f.write_str(
                        "; one other may not be looked into, so whether it maps the file is unknown",
                    ),
                    Answer::Known(closed) => write!(
                        f,
                        "; {closed} others may not be looked into, so whether they map the file is \
                         unknown"
                    ),
                    Answer::Unknown(Reason::NotAsked(_)) => f.write_str(", and no other"),
                    Answer::Unknown(reason) => write!(f, "; others: {reason}"),
                }
            }
        }
    }
}

impl Survey {
    /// The sources, in the order in which they were asked.
    pub fn sources(&self) -> Vec<Source> {
        let cached = self.cache.as_ref().map(|cache| {
            let shown = cache.count_pages(|state| state == PageState::Cached) == 0;
            let dirty = cache.count_pages(|state| state.is_dirty() == Some(true));
            let dirty = if shown { Answer::Known(dirty) } else { Answer::Unknown(Reason::NoDisk) };
            Said::Cached(cache.count_pages(PageState::is_cached), dirty)
        });
        let resident = self.residency.as_ref();
        let resident = resident.map(|pages| Said::Resident(pages.count_pages(|is| is)));
        let looked = self.processes.iter().filter(|process| process.pages.is_known()).count();
        let nobody = self.processes.iter().find_map(|process| process.pages.reason());
        let asked = match (nobody, self.closed) {
            (Some(reason), Answer::Unknown(_)) => Answer::Unknown(reason),
            (None, Answer::Unknown(reason)) if looked == 0 => Answer::Unknown(reason),
            (_, closed) => Answer::Known(Said::Processes(looked, closed)),
        };
        vec![
            Source {
                name: "cachestat(2)",
                true_for: "whether a page is in the page cache, dirty (it, or another page of its \
                           folio), or being written; not for the disk: clean is not safe",
                says: cached,
            },
            Source {
                name: "mincore(2)",
                true_for: "whether a page is in memory, whoever brought it there; not for who has \
                           it mapped",
                says: resident,
            },
            Source {
                name: "/proc/PID/pagemap",
                true_for: "whether this process has the page mapped just now, alone, or as a copy \
                           of its own; not for whether it ever touched it: neighbours are mapped \
                           along",
                says: asked,
            },
        ]
    }
}

/// What smaps is true for, for whoever shows its sums.
pub const SMAPS: &str = "sums over the mappings of one process; \"private\" and \"shared\" count \
                         page tables, not MAP_PRIVATE and MAP_SHARED";

/// What fault counts are true for.
pub const FAULTS: &str = "all faults of the process since it began, not only those on this file";
