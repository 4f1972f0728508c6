//! `lab.toml`: what a lab asks for, what each check is worth, and the words that help.

mod load;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use load::RubricError;

/// What all checks of a lab are worth together.
pub const TOTAL: u32 = 100;

/// A lab and its checks, in the order in which they are run and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rubric {
    /// The lab's id: the name of its folder.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// The slide it belongs to.
    pub slide: String,
    /// How many hours it takes.
    pub hours: u32,
    /// The files that are taken from a submission, relative to it. Nothing else is.
    pub files: Vec<String>,
    /// The crates that a submission may use, by package name.
    pub dependencies: Vec<String>,
    /// Points of checks that are not in here: a student's copy lacks the hidden ones.
    #[serde(default, skip_serializing_if = "is_none")]
    pub withheld: u32,
    /// The checks.
    #[serde(rename = "check")]
    pub checks: Vec<RubricCheck>,
}

/// What the rubric says about one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RubricCheck {
    /// Names it for good.
    pub id: String,
    /// What holds if it passes: a sentence.
    pub title: String,
    /// What it is worth.
    pub points: u32,
    /// Whether students have it.
    pub visibility: Visibility,
    /// Checks without which this one cannot pass: their ids.
    #[serde(default)]
    pub depends: Vec<String>,
    /// What helps without giving it away.
    pub hint: String,
    /// After how many seconds it is given up. 10 unless the rubric says otherwise.
    #[serde(default = "ten")]
    pub seconds: u32,
    /// What people who fail it often believe.
    #[serde(default, rename = "misconception")]
    pub misconceptions: Vec<Misconception>,
}

/// What people often believe, in words that they learn from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misconception {
    /// Names it in the check's code.
    pub id: String,
    /// The words.
    pub words: String,
}

/// Who has a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Students run it themselves.
    Visible,
    /// Only graders do; its id and title may be shown after grading, never what it saw.
    Hidden,
}

fn ten() -> u32 {
    10
}

fn is_none(points: &u32) -> bool {
    *points == 0
}

impl Rubric {
    /// All points that there are.
    pub fn total(&self) -> u32 {
        self.checks.iter().map(|check| check.points).sum::<u32>() + self.withheld
    }

    /// What the rubric says about a check.
    pub fn check(&self, id: &str) -> Option<&RubricCheck> {
        self.checks.iter().find(|check| check.id == id)
    }
}

impl RubricCheck {
    /// When it is given up.
    pub fn limit(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// The words for a misconception of its.
    pub fn words(&self, misconception: &str) -> Option<&str> {
        let found = self.misconceptions.iter().find(|known| known.id == misconception)?;
        Some(&found.words)
    }
}
