//! The format of what `own_cost` writes down: what our crates cost, line by line.

use serde::{Deserialize, Serialize};

use super::{Run, SCHEMA, Skip};
use crate::machine::Machine;
use crate::turns::Spread;

/// The bench that writes it.
pub const OWN_COST: &str = "own_cost";

/// `own_cost.json`: all rooms, each as it was visited last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// [`SCHEMA`] when it was written.
    pub schema: u32,
    /// The last run.
    pub run: Run,
    /// Whether there is a room that no run has visited yet.
    pub partial: bool,
    /// In the order of the bench.
    pub rooms: Vec<Room>,
    /// What it ran on.
    pub machine: Machine,
}

/// Lines that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Room {
    /// `cycles, over libc by hand`
    pub title: String,
    /// Who is compared: `ours` with `by hand`.
    pub columns: [String; 2],
    /// The run that visited it.
    pub run: Run,
    /// A figure each.
    pub lines: Vec<Line>,
    /// What explains them.
    pub notes: Vec<String>,
    /// What could not be measured here.
    pub skipped: Vec<Skip>,
}

/// A figure, what it has to be, and what became of that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// `map and unmap`. An indented one is shown beside the one above.
    pub what: String,
    /// Ours and theirs.
    pub figure: Figure,
    /// What it has to be, if anything.
    pub limit: Option<Limit>,
    /// Whether it is.
    pub verdict: Option<Met>,
}

/// Ours and theirs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Measured in turns.
    Time {
        /// Nanoseconds a round.
        ours: f64,
        /// Likewise.
        theirs: f64,
        /// Ours over theirs, pair by pair.
        ratio: Spread,
        /// Pairs whose floor never came to rest.
        unsettled: usize,
    },
    /// Counted, and the same each time.
    Number {
        /// So many.
        ours: f64,
        /// So many; none if ours stand alone.
        theirs: Option<f64>,
        /// Ours over theirs, as it is judged; none if there is nothing to compare with.
        ratio: Option<f64>,
    },
    /// Counted, of several kinds.
    Counts {
        /// `faults 1, calls 2 (mmap 1, munmap 1)`
        ours: String,
        /// Likewise.
        theirs: String,
    },
}

/// What a figure has to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Not more.
    AtMost(f64),
    /// Not less.
    AtLeast(f64),
    /// Ours as theirs.
    TheSame,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// It is.
    Met,
    /// It is not.
    Missed,
    /// The limit is within a wide spread.
    Unsure,
}

/// How many lines have met their limit, and how many have not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Those that have.
    pub met: usize,
    /// Those that have not.
    pub missed: usize,
    /// Those of which nobody can say.
    pub unsure: usize,
    /// What was not measured.
    pub skipped: usize,
}

impl Costs {
    /// Of a run that has visited these rooms; `whole` if they are all there are.
    pub fn of(run: Run, machine: Machine, rooms: Vec<Room>, whole: bool) -> Costs {
        Costs { schema: SCHEMA, run, partial: !whole, rooms, machine }
    }

    /// With the rooms of an earlier run that this one has not visited, if they are of this machine
    /// and of this program.
    #[must_use]
    pub fn after(self, earlier: Costs) -> Costs {
        let fits = |run: &Run| run.program == self.run.program;
        if !self.partial || earlier.machine != self.machine || !fits(&earlier.run) {
            return self;
        }
        let Costs { schema, run, rooms: visited, machine, .. } = self;
        let mut rooms: Vec<_> =
            earlier.rooms.into_iter().filter(|room| room.run.program == run.program).collect();
        for room in visited {
            match rooms.iter_mut().find(|old| old.title == room.title) {
                Some(old) => *old = room,
                None => rooms.push(room),
            }
        }
        Costs { schema, run, partial: earlier.partial, rooms, machine }
    }

    /// What has become of all limits.
    pub fn score(&self) -> Score {
        let mut score = Score::default();
        for room in &self.rooms {
            score.skipped += room.skipped.len();
            for line in &room.lines {
                match line.verdict {
                    Some(Met::Met) => score.met += 1,
                    Some(Met::Missed) => score.missed += 1,
                    Some(Met::Unsure) => score.unsure += 1,
                    None => {}
                }
            }
        }
        score
    }
}

/// `40 met, 1 missed, 2 unsure, 0 skipped`
impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Score { met, missed, unsure, skipped } = self;
        write!(f, "{met} met, {missed} missed, {unsure} unsure, {skipped} skipped")
    }
}

/// `at most 1.03`
impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Limit::AtMost(most) => write!(f, "at most {most}"),
            Limit::AtLeast(least) => write!(f, "at least {least}"),
            Limit::TheSame => f.write_str("the same"),
        }
    }
}

/// What is not as it should be, in capitals.
impl std::fmt::Display for Met {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Met::Met => "met",
            Met::Missed => "MISSED",
            Met::Unsure => "unsure",
        })
    }
}
