//! What a check found, as it is written down.

use serde::{Deserialize, Serialize};

use crate::check::{Stop, Verdict};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing wrong.
    Passed,
    /// The submission does not do what is asked for.
    Failed {
        /// What was expected.
        expected: String,
        /// What the kernel showed, or the program claimed.
        shown: String,
        /// The likely misconception's id in the rubric.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        misconception: Option<String>,
    },
    /// It was not run, since something before it failed: the build, above all. Not passed.
    NotRun {
        /// Why not.
        why: String,
    },
    /// The grader could not look. To be done again; neither passed nor failed.
    GraderFailed {
        /// What went wrong.
        what: String,
    },
}

impl Outcome {
    /// With texts that are not longer than people read, and than a pipe holds.
    #[must_use]
    pub fn shortened(self) -> Outcome {
        const MOST: usize = 1000;
        let short =
            |text: String| crate::shown::shortened(&crate::shown::harmless(text.as_bytes()), MOST);
        match self {
            Outcome::Passed => Outcome::Passed,
            Outcome::Failed { expected, shown, misconception } => {
                Outcome::Failed { expected: short(expected), shown: short(shown), misconception }
            }
            Outcome::NotRun { why } => Outcome::NotRun { why: short(why) },
            Outcome::GraderFailed { what } => Outcome::GraderFailed { what: short(what) },
        }
    }

    /// Whether it earns its points.
    pub fn is_passed(&self) -> bool {
        *self == Outcome::Passed
    }

    /// Whether the run has to be done again.
    pub fn is_graders(&self) -> bool {
        matches!(self, Outcome::GraderFailed { .. })
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Outcome {
        match verdict {
            Ok(()) => Outcome::Passed,
            Err(Stop::Failed(finding)) => Outcome::Failed {
                expected: finding.expected,
                shown: finding.shown,
                misconception: finding.misconception.map(str::to_owned),
            },
            Err(Stop::Grader(what)) => Outcome::GraderFailed { what },
        }
    }
}
