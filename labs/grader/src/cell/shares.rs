//! Who had the processors: a check that does not come to its end is the program's fault, unless the
//! machine was busy with others.

use std::collections::HashMap;
use std::time::Duration;

use crate::evidence::process::{children, ran_and_waited};

/// How much the programs of a check ran, and how long they waited for a processor.
#[derive(Debug, Default)]
pub(super) struct Shares(HashMap<i32, (Duration, Duration)>);

impl Shares {
    /// Looks at the programs below the keepers below the check. (Not at the check itself: who looks
    /// often and does little always waits a little.)
    pub(super) fn look(&mut self) {
        let me = std::process::id().cast_signed();
        let keepers = children(me).into_iter().flat_map(children);
        let mut programs: Vec<i32> = keepers.flat_map(children).collect();
        while let Some(pid) = programs.pop() {
            programs.extend(children(pid));
            // One that has gone meanwhile has no account any more.
            let (ran, waited) = ran_and_waited(pid);
            let most = self.0.entry(pid).or_default();
            *most = (most.0.max(ran), most.1.max(waited));
        }
    }

    /// Whether there was one that waited a good part of that time, and all together hardly ran: then it
    /// was not they who kept each other waiting.
    pub(super) fn were_too_small(&self, of: Duration) -> bool {
        let ran: Duration = self.0.values().map(|(ran, _)| *ran).sum();
        let waited = self.0.values().map(|(_, waited)| *waited).max().unwrap_or_default();
        ran < of / 4 && waited > of / 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn too_small(shares: &[(u64, u64)]) -> bool {
        let millis = |n| Duration::from_millis(n);
        let shares = shares.iter().map(|(ran, waited)| (millis(*ran), millis(*waited)));
        Shares((1..).zip(shares).collect()).were_too_small(Duration::from_secs(10))
    }

    #[test]
    fn only_others_are_an_excuse() {
        // Starved.
        assert!(too_small(&[(300, 9000), (1, 0)]));
        // A deadlock on an idle machine, an endless loop, a flood of loops.
        assert!(!too_small(&[(20, 5), (10, 3)]));
        assert!(!too_small(&[(9000, 900)]));
        assert!(!too_small(&[(1000, 9000); 20]));
        assert!(!too_small(&[]));
    }
}
