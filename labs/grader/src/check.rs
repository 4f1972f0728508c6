//! What a check is, and how it says that something is wrong.

use std::fmt;

use crate::stage::Stage;

/// One thing that a lab asks for, and how it is found out. Its title, points, hint and visibility
/// stand in the rubric, under the same id.
#[derive(Clone, Copy)]
pub struct Check {
    /// Names it in the rubric, for good: progress and gradebooks refer to it.
    pub id: &'static str,
    /// Looks, with a stage of its own.
    pub run: fn(&mut Stage) -> Verdict,
}

/// All checks of one lab.
#[derive(Clone, Copy, Debug)]
pub struct LabChecks {
    /// The lab's id: the name of its folder.
    pub lab: &'static str,
    /// Its checks. The rubric's order counts, not this one.
    pub checks: &'static [Check],
}

/// What a check finds: nothing wrong, or why it stopped.
pub type Verdict = Result<(), Stop>;

/// Why a check stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The submission does not do what is asked for.
    Failed(Finding),
    /// The grader itself could not look. Never a student's zero: the run is flagged, to be done
    /// again.
    Grader(String),
}

/// What is wrong with a submission, in words for the student.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was expected.
    pub expected: String,
    /// What the kernel showed, or what the program claimed.
    pub shown: String,
    /// The id of the likely misconception in the rubric.
    pub misconception: Option<&'static str>,
}

impl Stop {
    /// The submission fails: this was expected, and that was seen.
    pub fn failed(expected: impl Into<String>, shown: impl Into<String>) -> Stop {
        let (expected, shown) = (expected.into(), shown.into());
        Stop::Failed(Finding { expected, shown, misconception: None })
    }

    /// The grader could not look.
    pub fn grader(what: impl Into<String>) -> Stop {
        Stop::Grader(what.into())
    }

    /// The same, with the misconception that is the likely cause: an id of the rubric. A failure of
    /// the grader has none.
    #[must_use]
    pub fn because(self, misconception: &'static str) -> Stop {
        match self {
            Stop::Failed(finding) => {
                Stop::Failed(Finding { misconception: Some(misconception), ..finding })
            }
            grader @ Stop::Grader(_) => grader,
        }
    }
}

/// Fails with `expected` and `shown` unless `holds`.
///
/// # Errors
///
/// [`Stop::Failed`] if it does not hold.
pub fn require(holds: bool, expected: &str, shown: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Stop::failed(expected, shown())) }
}

/// A call of the *grader's* failed. Where the student's doings can make it fail, a check has to look
/// at the error itself; but for one: objects are looked at as their owner, and if he may not, it was the
/// student's program that took the right from him.
impl From<ipc_common::Error> for Stop {
    fn from(error: ipc_common::Error) -> Stop {
        let of_objects = ["shmget", "shmat", "shmctl", "semget", "semctl"];
        if of_objects.contains(&error.call()) && error.errno() == ipc_common::Errno::EACCES {
            return Stop::failed("an object that its owner may use", error.to_string());
        }
        Stop::Grader(error.to_string())
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use ipc_common::{Errno, Error};

    use super::*;

    #[test]
    fn an_object_closed_to_its_owner_is_the_programs_doing_and_the_rest_is_ours() {
        let stop = |call, errno| Stop::from(Error::new(call, errno, "x"));
        assert!(matches!(stop("shmctl", Errno::EACCES), Stop::Failed(_)));
        assert!(matches!(stop("shmctl", Errno::ENOMEM), Stop::Grader(_)));
        assert!(matches!(stop("open", Errno::EACCES), Stop::Grader(_)));
    }
}
