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
        let elapsed = self.begun.elapsed();
        if elapsed >= LONG_PATIENCE {
            return false;
        }
        let is_at_work = state(self.pid).is_some_and(|state| matches!(state, 'R' | 'D'))
            && cpu_time(self.pid) < self.used + PATIENCE;
        let waited = ran_and_waited(self.pid).1.saturating_sub(self.waited);
        let all = sweep::below(std::process::id().cast_signed());
        let all: Duration = all.into_iter().map(|pid| ran_and_waited(pid).1).sum();
        let before = self.all_waited.replace(all);
        is_at_work
            || elapsed.saturating_sub(waited) < PATIENCE
            || before.is_none_or(|before| all >= before + BUSY)
    }
}
