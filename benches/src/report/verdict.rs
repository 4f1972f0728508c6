//! The lecture's sentence, by the rule: other data, another verdict.

use super::cell::Cell;
use super::gather::Material;
use super::rule::Outcome;
use super::scene::{SCENES, Scene};
use super::show;
pub use super::tally::{Speed, Tally};
use crate::counts::SystemCalls;

/// "Eliminates intermediary buffering": is that so?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffering {
    /// No call copies the bytes, and nothing is paid for it.
    Right,
    /// No call copies the bytes, and page faults are paid instead.
    Half,
    /// System calls were not counted for each cell, or some of them copy, so that it was not the
    /// mapping that was used; or nothing was measured.
    Unknown,
}

/// A way of using mmap: a scene, and a contender in it.
#[derive(Clone, Debug)]
pub struct Use<'a> {
    /// Where.
    pub scene: &'static Scene,
    /// Who, as criterion's function.
    pub function: &'static str,
    /// Who, in the verdict's words.
    pub who: &'static str,
    /// At each value.
    pub cells: Vec<&'a Cell>,
}

/// All that is said in the end.
#[derive(Clone, Debug)]
pub struct Verdict<'a> {
    /// The uses that were measured.
    pub uses: Vec<Use<'a>>,
}

impl Buffering {
    /// In one line, of the sentence "eliminates intermediary buffering".
    pub fn headline(self) -> &'static str {
        match self {
            Buffering::Right => "Right: the copy has gone, and no faults are paid for it.",
            Buffering::Half => "Half of it: the copy has gone, and page faults are paid instead.",
            Buffering::Unknown => "Not to be told from the system calls that were counted.",
        }
    }
}

impl Use<'_> {
    /// What its cells say.
    pub fn tally(&self) -> Tally {
        Tally::of(self.cells.iter().copied())
    }

    /// `faster at 64M and 1G; slower at 64K; …`: what is where, in the order of the sizes.
    pub fn where_what(&self) -> String {
        let mut parts: Vec<(Option<Outcome>, Vec<String>)> = Vec::new();
        for cell in &self.cells {
            let size = show::short_size(cell.value());
            match parts.last_mut() {
                Some((outcome, sizes)) if *outcome == cell.outcome() => sizes.push(size),
                _ => parts.push((cell.outcome(), vec![size])),
            }
        }
        let part = |(outcome, sizes): &(Option<Outcome>, Vec<String>)| {
            let what = match outcome {
                Some(Outcome::Faster) => "faster",
                Some(Outcome::Slower) => "slower",
                Some(Outcome::Same) => "no difference",
                Some(Outcome::Unsure) => "undecided",
                None => "not counted",
            };
            match sizes.as_slice() {
                [one] => format!("{what} at {one}"),
                [first, .., last] => format!("{what} from {first} to {last}"),
                [] => String::new(),
            }
        };
        parts.iter().map(part).collect::<Vec<_>>().join("; ")
    }
}

impl<'a> Verdict<'a> {
    /// Of this material.
    pub fn of(material: &'a Material) -> Verdict<'a> {
        let judged = |scene: &'static Scene| {
            let one = move |(function, who): &(&'static str, &'static str)| {
                let mut cells = material.group(scene.group);
                cells.retain(|cell| cell.record.id.function == *function);
                Use { scene, function, who, cells }
            };
            scene.judged.iter().map(one)
        };
        let uses = SCENES.iter().flat_map(judged).filter(|one| !one.cells.is_empty());
        Verdict { uses: uses.collect() }
    }

    /// All cells together.
    pub fn tally(&self) -> Tally {
        Tally::of(self.uses.iter().flat_map(|one| one.cells.iter().copied()))
    }

    /// "Significantly improves performance".
    pub fn speed(&self) -> Speed {
        self.tally().speed()
    }

    /// "Eliminates intermediary buffering": by the calls and faults that were counted, as
    /// [`super::rule::of_buffering`] says.
    pub fn buffering(&self) -> Buffering {
        let cells = || self.uses.iter().flat_map(|one| one.cells.iter().copied());
        let no_copy = |cell: &Cell| copies(&cell.record.counts.system_calls) == Some(false);
        let faults = |cell: &Cell| {
            let faults = cell.record.counts.faults;
            faults.minor > 0 || faults.major > 0
        };
        if self.uses.is_empty() || !cells().all(no_copy) {
            Buffering::Unknown
        } else if cells().any(faults) {
            Buffering::Half
        } else {
            Buffering::Right
        }
    }

    /// Of the cells whose file was in memory, how many had major faults: none, if it is the page
    /// cache that is mapped; and how many cells there are.
    pub fn major_though_warm(&self) -> (usize, usize) {
        let warm = |cell: &&&Cell| {
            cell.record.work.labels.get("page cache").is_some_and(|cache| cache == "warm")
        };
        let cells: Vec<_> = self.uses.iter().flat_map(|one| &one.cells).filter(warm).collect();
        let major = cells.iter().filter(|cell| cell.record.counts.faults.major > 0).count();
        (major, cells.len())
    }
}

/// Whether there are calls among these that copy a file's bytes; `None` if they were not counted.
pub fn copies(calls: &SystemCalls) -> Option<bool> {
    const COPYING: [&str; 8] =
        ["read", "write", "pread64", "pwrite64", "readv", "writev", "preadv", "pwritev"];
    match calls {
        SystemCalls::Counted(calls) => {
            Some(COPYING.iter().any(|name| calls.get(*name).is_some_and(|count| *count > 0)))
        }
        SystemCalls::Unknown(_) => None,
    }
}
