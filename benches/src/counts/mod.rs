//! Beside the time: what it was spent on.
//!
//! A time alone is easily believed and wrong. If the fresh map took a fault for every sixteen pages
//! and read(2) one call for every buffer, the figures explain themselves; if not, the bench did
//! something else than it says.

mod names;
mod system_calls;

pub use system_calls::{SystemCalls, mark, system_calls};

use crate::raw::Elsewhere;
use crate::watch::{self, Work};

use std::ops::{AddAssign, Sub};

use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// What a major fault is, for whoever is shown a number of them.
pub const MAJOR: &str = "A fault is major if its page of the file was not in the page cache. That is \
    not to say that it waited for the disk: a hole in a new file has nothing to be read. Nor that a \
    minor one did not wait: it does, if it finds a page that readahead has asked for and the disk has \
    not yet delivered.";

/// Page faults of this thread (getrusage(2)).
///
/// What the two kinds are is easily misread: see [`MAJOR`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// Those that found the page in the page cache, or needed none: `ru_minflt`.
    pub minor: u64,
    /// Those of a page that was not in the page cache: `ru_majflt`.
    pub major: u64,
}

impl Faults {
    /// Since the thread began.
    pub fn so_far() -> Faults {
        let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("it can be asked for oneself");
        let number = |faults: libc::c_long| u64::try_from(faults).unwrap_or(0);
        Faults {
            minor: number(usage.minor_page_faults()),
            major: number(usage.major_page_faults()),
        }
    }

    /// Minor and major together.
    pub fn all(self) -> u64 {
        self.minor + self.major
    }
}

/// The page faults of a round, wherever its mappings lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultCounts {
    /// The median.
    pub usual: Faults,
    /// The fewest and the most, minor and major together.
    pub range: [u64; 2],
}

/// Counts the faults of a case that handles `bytes` bytes. If a mapping for them may lie anywhere, at
/// several places ([`Elsewhere`]): a fault more or less for each page, and it is another case.
pub fn faults_wherever_it_lies(work: &mut Work<'_>, bytes: u64) -> FaultCounts {
    const PLACES: usize = 9;
    let places = if bytes < Elsewhere::reach() as u64 { PLACES } else { 1 };
    let mut elsewhere = Elsewhere::default();
    let mut counts: Vec<Faults> = (0..places)
        .map(|_| {
            elsewhere.next();
            watch::faults(work)
        })
        .collect();
    counts.sort_by_key(|count| count.all());
    let at = |nth: usize| counts[nth];
    FaultCounts { usual: at(places / 2), range: [at(0).all(), at(places - 1).all()] }
}

impl Sub for Faults {
    type Output = Faults;
    fn sub(self, before: Faults) -> Faults {
        Faults { minor: self.minor - before.minor, major: self.major - before.major }
    }
}

impl AddAssign for Faults {
    fn add_assign(&mut self, more: Faults) {
        self.minor += more.minor;
        self.major += more.major;
    }
}
