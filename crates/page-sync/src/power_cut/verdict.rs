//! What the trials say together.

use std::fmt;

use super::action::{Action, Barriers};
use super::pattern::Outcome;
use super::trial::Trial;

/// All trials of an experiment.
#[derive(Clone, Debug)]
pub struct Report {
    trials: Vec<Trial>,
}

/// Why the experiment cannot be believed, or the machine cannot be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// Without barriers nothing may survive, and this did: the cut cuts nothing off.
    ControlSurvived {
        /// After which action.
        action: Action,
        /// Which page.
        page: usize,
        /// What was found in it.
        found: Outcome,
    },
    /// The action promises that this page is on the disk, and it was not.
    PromiseBroken {
        /// Which action.
        action: Action,
        /// Which page.
        page: usize,
        /// What was found in it.
        found: Outcome,
    },
}

impl Report {
    pub(super) fn new(trials: Vec<Trial>) -> Report {
        Report { trials }
    }

    /// The trials, in the order in which they were done.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The trials by what was done in them, in that order.
    pub fn groups(&self) -> Vec<(Action, Barriers, Vec<&Trial>)> {
        let mut groups: Vec<(Action, Barriers, Vec<&Trial>)> = Vec::new();
        for trial in &self.trials {
            match groups
                .iter_mut()
                .find(|group| (group.0, group.1) == (trial.action, trial.barriers))
            {
                Some((_, _, trials)) => trials.push(trial),
                None => groups.push((trial.action, trial.barriers, vec![trial])),
            }
        }
        groups
    }

    /// What speaks against it, each once. Nothing, if all is well.
    pub fn objections(&self) -> Vec<Objection> {
        let mut objections = Vec::new();
        for trial in &self.trials {
            for (page, found) in trial.pages {
                let action = trial.action;
                let promised = action.promises().contains(&page);
                let objection = match (trial.barriers, found) {
                    (Barriers::Off, Outcome::Old) => continue,
                    (Barriers::Off, _) => Objection::ControlSurvived { action, page, found },
                    (Barriers::On, Outcome::New) => continue,
                    (Barriers::On, _) if !promised => continue,
                    (Barriers::On, _) => Objection::PromiseBroken { action, page, found },
                };
                if !objections.contains(&objection) {
                    objections.push(objection);
                }
            }
        }
        objections
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Objection::ControlSurvived { action, page, found } => write!(
                f,
                "the experiment is broken: without barriers nothing can be durable, and yet page \
                 {page} was {found} after {}. Believe none of the table",
                action.calls()
            ),
            Objection::PromiseBroken { action, page, found } => write!(
                f,
                "{} promises that page {page} is on the disk, and it was {found}: either the \
                 experiment is broken, or this kernel",
                action.calls()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn trial(action: Action, barriers: Barriers, two: Outcome, five: Outcome) -> Trial {
        let pages = [(2, two), (5, five)];
        let took = Duration::ZERO;
        Trial { action, barriers, pages, took, sent: 0, flushes: 0, kernel_flushes: None }
    }

    fn objections(action: Action, barriers: Barriers, two: Outcome, five: Outcome) -> usize {
        Report::new(vec![trial(action, barriers, two, five); 3]).objections().len()
    }

    #[test]
    fn a_promise_that_is_broken_is_said_once() {
        let (on, torn) = (Barriers::On, Outcome::Torn { new: 3 });
        assert_eq!(objections(Action::MsSync, on, Outcome::New, Outcome::New), 0);
        assert_eq!(objections(Action::MsSync, on, Outcome::New, Outcome::Old), 1);
        assert_eq!(objections(Action::Fsync, on, torn, Outcome::Old), 2);
        assert_eq!(objections(Action::MsSyncPage, on, Outcome::New, Outcome::Old), 0);
        assert_eq!(objections(Action::MsSyncPage, on, Outcome::Old, Outcome::New), 1);
    }

    #[test]
    fn where_nothing_is_promised_either_may_be_found() {
        for found in [Outcome::Old, Outcome::New, Outcome::Torn { new: 1 }] {
            assert_eq!(objections(Action::Nothing, Barriers::On, found, found), 0);
        }
    }

    #[test]
    fn what_nobody_asked_to_keep_is_kept_by_somebody_else() {
        let disturbed = |action, barriers, five, flushes| {
            let trial = trial(action, barriers, Outcome::Old, five);
            Trial { flushes, ..trial }.is_disturbed()
        };
        let (on, off) = (Barriers::On, Barriers::Off);
        assert!(disturbed(Action::Nothing, on, Outcome::New, 1));
        assert!(disturbed(Action::MsSyncPage, on, Outcome::New, 2));
        assert!(!disturbed(Action::MsSyncPage, on, Outcome::Old, 1));
        assert!(!disturbed(Action::MsSync, on, Outcome::New, 1));
        // Kept without a flush: that is no disturbance, but a disk without a cache.
        assert!(!disturbed(Action::SyncFileRange, on, Outcome::New, 0));
        assert!(!disturbed(Action::MsSync, off, Outcome::New, 0));
    }

    #[test]
    fn whatever_survives_without_barriers_speaks_against_the_experiment() {
        let off = Barriers::Off;
        assert_eq!(objections(Action::MsSync, off, Outcome::Old, Outcome::Old), 0);
        assert_eq!(objections(Action::MsSync, off, Outcome::Old, Outcome::New), 1);
        let objection =
            Report::new(vec![trial(Action::Fsync, off, Outcome::Torn { new: 1 }, Outcome::Old)])
                .objections()[0];
        assert!(objection.to_string().contains("broken"), "{objection}");
    }
}
