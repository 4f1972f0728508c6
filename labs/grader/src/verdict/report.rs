//! What there is to say about one submission.

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::rubric::{Rubric, Visibility};
use crate::sandbox::Mode;

/// What the compiler said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Whether there is a program.
    pub succeeded: bool,
    /// What rustc printed, errors and warnings, with nothing in it that drives a terminal.
    pub messages: String,
    /// Milliseconds it took.
    pub millis: u64,
}

/// One check's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Whether students have it.
    pub visibility: Visibility,
    /// What it is worth.
    pub points: u32,
    /// What it found.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Milliseconds it took.
    pub millis: u64,
}

impl CheckResult {
    /// Whether the run was to look at it: one of a run of some checks only was perhaps not.
    pub fn was_asked_for(&self) -> bool {
        self.outcome != not_yet()
    }
}

/// What is said of a check before the run gets to it.
fn not_yet() -> Outcome {
    Outcome::NotRun { why: "the run did not get that far".into() }
}

/// What there is to say about one submission. Written after each check, so it may be half of one:
/// `is_whole` tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The lab's id.
    pub lab: String,
    /// Whose it is, or where it lay.
    pub submission: String,
    /// What stood around the program.
    pub mode: Mode,
    /// Whether points earned in this mode, and on this machine, count.
    pub official: bool,
    /// The seed of all random numbers of the run.
    pub seed: String,
    /// rustc's version.
    pub compiler: String,
    /// The grader's version.
    pub grader: String,
    /// Points earned.
    pub score: u32,
    /// Points there are.
    pub total: u32,
    /// Whether the run came to its end. If not, what is here holds, and the rest is not known.
    pub is_whole: bool,
    /// Whether it has to be done again, as the grader failed somewhere.
    pub needs_rerun: bool,
    /// What went wrong with the grader, and what was out of the ordinary.
    pub notes: Vec<String>,
    /// What the compiler said; nothing if it was not asked.
    pub build: Option<Build>,
    /// The rubric's checks, all of them, in order.
    pub checks: Vec<CheckResult>,
    /// What was there when its check had ended, and was removed: boards that are meant to stay, and
    /// whatever else the programs left.
    pub swept: Vec<String>,
}

impl Report {
    /// A report of a run that has not begun.
    pub fn new(
        rubric: &Rubric,
        submission: &str,
        mode: Mode,
        seed: &str,
        compiler: &str,
    ) -> Report {
        let checks = rubric.checks.iter().map(|check| CheckResult {
            id: check.id.clone(),
            title: check.title.clone(),
            visibility: check.visibility,
            points: check.points,
            outcome: not_yet(),
            millis: 0,
        });
        Report {
            lab: rubric.id.clone(),
            submission: submission.into(),
            mode,
            official: mode.is_official(),
            seed: seed.into(),
            compiler: compiler.into(),
            grader: env!("CARGO_PKG_VERSION").into(),
            score: 0,
            total: rubric.total(),
            is_whole: false,
            needs_rerun: false,
            notes: Vec::new(),
            build: None,
            checks: checks.collect(),
            swept: Vec::new(),
        }
    }

    /// Puts in what a check found. One that the rubric does not know is a failure of the grader.
    pub fn put(&mut self, id: &str, outcome: Outcome, millis: u64) {
        self.needs_rerun |= outcome.is_graders();
        match self.checks.iter_mut().find(|check| check.id == id) {
            Some(check) => (check.outcome, check.millis) = (outcome, millis),
            None => self.grader_failed(format!("a result of {id:?}, which is no check")),
        }
        self.add_up();
    }

    /// No check can be passed any more, and it is the submission's own doing.
    pub fn nothing_runs(&mut self, why: &str) {
        for check in &mut self.checks {
            check.outcome = Outcome::NotRun { why: why.into() };
        }
        self.add_up();
    }

    /// The grader itself failed: what is not known is not the student's fault.
    pub fn grader_failed(&mut self, what: String) {
        self.needs_rerun = true;
        self.notes.push(what);
    }

    fn add_up(&mut self) {
        let passed = self.checks.iter().filter(|check| check.outcome.is_passed());
        self.score = passed.map(|check| check.points).sum();
    }

    /// The same report without what hidden checks saw and expected, for the eyes of students: the
    /// program was given random numbers there that its author could have it print.
    #[must_use]
    pub fn for_students(mut self) -> Report {
        let hidden = self.checks.iter_mut().filter(|check| check.visibility == Visibility::Hidden);
        for check in hidden {
            if let Outcome::Failed { expected, shown, .. } = &mut check.outcome {
                "what the title says".clone_into(expected);
                "this check is hidden: it shows only whether it is passed".clone_into(shown);
            }
        }
        self
    }

    /// The result of a check.
    pub fn check(&self, id: &str) -> Option<&CheckResult> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// The ids of the checks that are not passed.
    pub fn not_passed(&self) -> Vec<&str> {
        let open = self.checks.iter().filter(|check| !check.outcome.is_passed());
        open.map(|check| check.id.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rubric() -> Rubric {
        let check = |id: &str| {
            format!(
                "[[check]]\nid = \"{id}\"\ntitle = \"T\"\npoints = 50\n\
                 visibility = \"hidden\"\nhint = \"H\"\n"
            )
        };
        let text = format!(
            "id = \"l\"\ntitle = \"L\"\nslide = \"S\"\nhours = 1\nfiles = [\"a\"]\n\
             dependencies = []\n{}{}",
            check("a"),
            check("b")
        );
        Rubric::parse(&text).unwrap()
    }

    #[test]
    fn a_missing_result_is_not_passed_and_earns_nothing() {
        let mut report = Report::new(&rubric(), "s", Mode::Full, "0", "rustc");
        assert_eq!((report.score, report.not_passed()), (0, vec!["a", "b"]));
        report.put("b", Outcome::Passed, 1);
        assert_eq!((report.score, report.not_passed()), (50, vec!["a"]));
        assert!(!report.needs_rerun && !report.is_whole);
    }

    #[test]
    fn a_failure_of_the_grader_is_flagged() {
        let mut report = Report::new(&rubric(), "s", Mode::Full, "0", "rustc");
        report.put("a", Outcome::GraderFailed { what: "no memory".into() }, 1);
        assert!(report.needs_rerun);
        let mut report = Report::new(&rubric(), "s", Mode::Full, "0", "rustc");
        report.put("forged", Outcome::Passed, 1);
        assert!(report.needs_rerun && report.score == 0);
    }

    #[test]
    fn students_do_not_see_what_hidden_checks_saw() {
        let mut report = Report::new(&rubric(), "s", Mode::Full, "0", "rustc");
        let (expected, shown) = ("nonce 17".to_owned(), "nonce 18".to_owned());
        let misconception = Some("m".to_owned());
        report.put("a", Outcome::Failed { expected, shown, misconception }, 7);
        let text = serde_json::to_string(&report.for_students()).unwrap();
        assert!(!text.contains("nonce") && text.contains("\"m\""), "{text}");
    }

    #[test]
    fn a_report_is_read_back_as_it_was_written() {
        let mut report = Report::new(&rubric(), "s", Mode::RunUid, "0", "rustc");
        let (expected, shown) = ("e".to_owned(), "s".to_owned());
        report.put("a", Outcome::Failed { expected, shown, misconception: None }, 7);
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }
}
