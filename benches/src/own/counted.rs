//! What a round of work takes from the kernel: page faults and system calls, counted and not timed.

use super::Work;
use crate::Watch;
use crate::counts::{Faults, SystemCalls, system_calls};
use crate::watch::faults;

/// Of one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// In this process.
    pub faults: Faults,
    /// In a traced child.
    pub system_calls: SystemCalls,
}

/// Counts a round of `work`, after one that does not count: it installs handlers, touches buffers
/// and brings the file into memory.
///
/// This process must have one thread only: see [`system_calls`].
pub fn counted(work: &mut Work) -> Counted {
    work();
    let mut rounds = |watch: &mut Watch, rounds: u64| watch.on(|| (0..rounds).for_each(|_| work()));
    // Faults first: the fork for the other leaves every page of ours to be copied when written.
    let faults = faults(&mut rounds);
    let system_calls = system_calls(&mut rounds);
    // And that first write is nobody's fault later on.
    work();
    Counted { faults, system_calls }
}
