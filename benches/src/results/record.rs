//! The format. Whoever changes the meaning of a field changes [`SCHEMA`].

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::counts::{Faults, SystemCalls};
use crate::machine::Machine;
use crate::turns::Spread;

/// Counts up with each change after which old files would be misread.
pub const SCHEMA: u32 = 1;

/// Which program has measured: the package's version, and a number. Whoever changes *what* a bench
/// measures counts the number up: then results of before are told from those of after, and measured
/// again.
pub const PROGRAM: &str = concat!(env!("CARGO_PKG_VERSION"), "+2");

/// `case.json`: all about a case that criterion does not write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`] when it was written.
    pub schema: u32,
    /// Which case: criterion's three ids.
    pub id: Id,
    /// What a round does.
    pub work: Work,
    /// What it took.
    pub measured: Measured,
    /// What it was spent on; of one round, after all that was timed.
    pub counts: Counts,
    /// Where its files were; none if it has none.
    pub place: Option<Where>,
    /// The run that it belongs to.
    pub run: Run,
    /// What it ran on.
    pub machine: Machine,
}

/// Which case: as criterion has it in `benchmark.json`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Id {
    /// Criterion's `group_id`: `read_vs_mmap one pass, warm, small pieces`.
    pub group: String,
    /// Criterion's `function_id`, the contender: `mmap, fresh`.
    pub function: String,
    /// Criterion's `value_str`: a size in bytes, a number of passes, …; see [`Work::varies`].
    pub value: String,
}

/// `GROUP/FUNCTION/VALUE`
impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.group, self.function, self.value)
    }
}

/// What a round does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Bytes that a round handles: criterion's throughput.
    pub bytes: u64,
    /// What `value` is: `bytes in the file`, `passes`, `bytes in the note`.
    pub varies: String,
    /// More that a report may sort by.
    ///
    /// | bench | labels |
    /// |---|---|
    /// | `read_vs_mmap` | `access` (`one pass`, `many passes`, `random`), `page cache` (`warm`, `cold`), `written in` (`small pieces`, `large pieces`), `bytes in the file`, `bytes in a piece`, `pieces in a round` |
    /// | `write_vs_mmap` | `pages` (`new file`, `clean pages`, `dirty pages`), `until` (`until others see it`, `until it is on the disk`) |
    /// | `page_faults` | `bytes in a page`, `bytes in the file` |
    /// | `message_round_trip` | `processors` (`one core`, `two cores`, `two threads of one core`) |
    pub labels: BTreeMap<String, String>,
}

/// What a round took, in turns with what it is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The case that the ratio is to: another function of the same group and value (itself, for the
    /// one that the others are compared with: its ratio shows the error of measurement).
    pub reference: String,
    /// Time over the reference's time, pair by pair.
    pub ratio: Spread,
    /// Nanoseconds a round.
    pub time: Spread,
    /// Nanoseconds a round of the reference, in the same pairs.
    pub reference_time: Spread,
    /// What the floor is, in words.
    pub floor_is: String,
    /// The floor around the pairs.
    pub floor: Spread,
    /// How many pairs there are.
    pub pairs: usize,
    /// How many measurements were thrown away, because the floor moved by more than 1.3.
    pub again: u32,
    /// How many pairs are among those here although it had moved each time.
    pub unsettled: u32,
    /// How many pairs during which somebody else had our processor (`ru_nivcsw`): of a machine that
    /// is busy, or of another process that shares ours by design.
    pub interrupted: u32,
    /// Each pair: nanoseconds a round of the case, and of the reference.
    pub each: Vec<[f64; 2]>,
}

impl Measured {
    /// Times of the case and of the reference that agree with the median of the ratio: those of the
    /// pair that has it, or of the two pairs around it. (The medians of either side are of two
    /// different pairs; their ratio may be on the other side of 1.)
    pub fn median_pair(&self) -> [f64; 2] {
        let ratio = |[case, reference]: &[f64; 2]| case / reference;
        let mut each = self.each.clone();
        each.retain(|pair| ratio(pair).is_finite());
        each.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
        let Some(last) = each.len().checked_sub(1) else {
            return [self.time.median, self.reference_time.median];
        };
        let (one, other) = (each[last / 2], each[each.len() / 2]);
        // The geometric mean of two times is to that of two others as the means of the ratios are.
        [0, 1].map(|side| (one[side] * other[side]).sqrt())
    }
}

/// What one round was spent on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Page faults: the median over several places where a mapping may lie.
    pub faults: Faults,
    /// The fewest and the most at any of those places, minor and major together.
    #[serde(default)]
    pub faults_range: Option<[u64; 2]>,
    /// System calls: `{"counted": {"mmap": 1, …}}` or `{"unknown": "because …"}`.
    pub system_calls: SystemCalls,
    /// Of what: of the one process, or of one of the two.
    pub of: String,
}

impl Counts {
    /// The fewest faults and the most, if it matters where the mapping lies: by more than the one that
    /// any mapping may take more or less at its ends.
    pub fn faults_vary(&self) -> Option<[u64; 2]> {
        self.faults_range.filter(|[fewest, most]| most - fewest > 1)
    }
}

/// Where files were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Where {
    /// The folder.
    pub folder: String,
    /// Its file system: `ext4`, `tmpfs`, …
    pub file_system: String,
}

/// A run of a bench.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The bench: `read_vs_mmap`.
    pub bench: String,
    /// When it began: seconds since 1970.
    pub started: u64,
    /// Process id; with `started`, the same for all cases of one run and for no others.
    pub process: u32,
    /// Whether it was a quick one.
    pub quick: bool,
    /// [`PROGRAM`] when it ran; empty in results from before there was such a thing.
    #[serde(default)]
    pub program: String,
}

impl Run {
    /// That of this process, which begins now.
    pub fn begins(bench: &str, quick: bool) -> Run {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (started, process) = (since_1970.as_secs(), std::process::id());
        Run { bench: bench.into(), started, process, quick, program: PROGRAM.into() }
    }
}

/// `BENCH.run.json`: written when a run ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`SCHEMA`] when it was written.
    pub schema: u32,
    /// Which.
    pub run: Run,
    /// How long it took.
    pub seconds: f64,
    /// How many cases were measured.
    pub cases: usize,
    /// Whether a filter left cases out.
    pub filtered: bool,
    /// What could not be measured here.
    pub skipped: Vec<Skip>,
    /// What it ran on.
    pub machine: Machine,
}

/// Something that was not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// A group or a part of one, in words.
    pub what: String,
    /// The reason.
    pub because: String,
}
