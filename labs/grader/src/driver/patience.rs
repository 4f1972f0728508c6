//! How long a program is waited for that says nothing: on a machine that is busy with others it may be
//! on its way, and asleep at every moment at which one looks.

use std::time::{Duration, Instant};

use super::{LONG_PATIENCE, PATIENCE};
use crate::evidence::process::{cpu_time, ran_and_waited, state};
use crate::sandbox::sweep;

/// How much longer it is waited for, before it is looked at again.
pub(super) const LOOK: Duration = Duration::from_millis(100);
/// How much of that the programs of a check wait for a processor, if the machine is busy.
const BUSY: Duration = Duration::from_millis(10);

/// What is known of a program since it was asked.
pub(super) struct Patience {
    pid: i32,
    begun: Instant,
    used: Duration,
    waited: Duration,
    /// What all programs of this check have waited, when they were last looked at.
    all_waited: Option<Duration>,
}

impl Patience {
    pub(super) fn with(pid: i32) -> Patience {
        let (used, (_, waited)) = (cpu_time(pid), ran_and_waited(pid));
        Patience { pid, begun: Instant::now(), used, waited, all_waited: None }
    }

    /// Whether it is worth while to wait for another [`LOOK`]: it is at work, and has not had the CPU
    /// time that it may have; or it has not had its time yet, less what it waited for a processor; or
    /// others are waiting for one, who perhaps have what it waits for.
    pub(super) fn lasts(&mut self) -> bool {
        let all = sweep::below(std::process::id().cast_signed());
        let all: Duration = all.into_iter().map(|pid| ran_and_waited(pid).1).sum();
        let before = self.all_waited.replace(all);
        Since {
            elapsed: self.begun.elapsed(),
            runs: state(self.pid).is_some_and(|state| matches!(state, 'R' | 'D')),
            used: cpu_time(self.pid).saturating_sub(self.used),
            waited: ran_and_waited(self.pid).1.saturating_sub(self.waited),
            others_wait: before.is_none_or(|before| all >= before + BUSY),
        }
        .is_worth_a_look()
    }
}

/// What has happened since a program was asked.
struct Since {
    elapsed: Duration,
    /// Whether it runs, or would if there was a processor for it, at this moment.
    runs: bool,
    /// CPU time.
    used: Duration,
    /// For a processor.
    waited: Duration,
    /// Whether somebody waited for a processor during the last look; not known before the second.
    others_wait: bool,
}

impl Since {
    fn is_worth_a_look(&self) -> bool {
        self.elapsed < LONG_PATIENCE
            && (self.runs && self.used < PATIENCE
                || self.elapsed.saturating_sub(self.waited) < PATIENCE
                || self.others_wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_kept_from_running_is_waited_for_and_who_sleeps_is_not() {
        let nothing = Since {
            elapsed: PATIENCE + LOOK,
            runs: false,
            used: Duration::ZERO,
            waited: Duration::ZERO,
            others_wait: false,
        };
        assert!(!nothing.is_worth_a_look(), "asleep for ever");
        // It sleeps between two looks of its own, and each time it has to queue.
        assert!(Since { waited: PATIENCE / 2, ..nothing }.is_worth_a_look());
        // It waits for a lock, whose owner has to queue.
        assert!(Since { others_wait: true, ..nothing }.is_worth_a_look());
        assert!(Since { runs: true, used: PATIENCE / 2, ..nothing }.is_worth_a_look());
        assert!(!Since { runs: true, used: 2 * PATIENCE, ..nothing }.is_worth_a_look(), "endless");
        let long = Since { elapsed: LONG_PATIENCE, waited: LONG_PATIENCE, ..nothing };
        assert!(!long.is_worth_a_look(), "there is an end");
    }
}
