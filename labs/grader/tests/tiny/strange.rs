//! Checks that go wrong themselves: that is the grader's failure, and never a student's zero.

use std::time::Duration;

use grader::check::{Check, Verdict};
use grader::driver::hex_path;
use grader::rubric::{RubricCheck, Visibility};
use grader::sandbox::Mode;
use grader::stage::Stage;
use grader::supervisor::{Plan, Progress};
use grader::verdict::{Outcome, Report};
use testkit::Case;

use crate::course::{self, Tiny};
use crate::modes::{full, tree};

pub const PANICS: Check = Check { id: "panics", run: panics };
pub const HANGS: Check = Check { id: "hangs", run: hangs };
pub const EXITS: Check = Check { id: "exits", run: exits };

pub const PLANTS: Check = Check { id: "plants", run: plants };

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn(), needs| Case { name, run, needs };
    vec![
        case("a_check_that_goes_wrong_is_no_students_fault", checks_that_go_wrong, &[tree]),
        case("what_a_program_closes_or_fills_is_its_own_fault", in_the_way, &[full]),
    ]
}

fn panics(stage: &mut Stage) -> Verdict {
    let _driver = stage.start()?;
    panic!("nobody thought of this");
}

fn hangs(stage: &mut Stage) -> Verdict {
    let _driver = stage.start()?;
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Does in the program's folder what checks do there, after the program.
fn plants(stage: &mut Stage) -> Verdict {
    let (path, folder) = (stage.fresh_path(), stage.fresh_path());
    let mut driver = stage.start()?;
    driver.ask(&["put", &hex_path(&path), "-"]).ok()?;
    stage.make_file(&path, b"planted", 0o600)?;
    stage.make_folder(&folder)?;
    let _second = stage.start()?;
    Ok(())
}

fn exits(stage: &mut Stage) -> Verdict {
    let _driver = stage.start()?;
    #[expect(clippy::exit, reason = "that is what goes wrong")]
    std::process::exit(0)
}

pub fn in_rubric(check: Check, seconds: u32) -> RubricCheck {
    RubricCheck {
        id: check.id.into(),
        title: String::new(),
        points: 1,
        visibility: Visibility::Visible,
        depends: Vec::new(),
        hint: String::new(),
        seconds,
        misconceptions: Vec::new(),
    }
}

fn checks_that_go_wrong() {
    let mut tiny = Tiny::in_mode(grader::supervisor::Found::look(&course::this_program()).best);
    for (check, seconds) in [(PANICS, 10), (HANGS, 1), (EXITS, 10)] {
        tiny.ready.lab.rubric.checks.insert(
            0,
            RubricCheck {
                id: check.id.into(),
                title: String::new(),
                points: 1,
                visibility: Visibility::Visible,
                depends: Vec::new(),
                hint: String::new(),
                seconds,
                misconceptions: Vec::new(),
            },
        );
    }
    // One that has no code, too.
    let mut missing = tiny.ready.lab.rubric.checks[0].clone();
    missing.id = "missing".into();
    tiny.ready.lab.rubric.checks.push(missing);

    let folder = testkit::folder();
    let save = folder.file("report.json");
    let plan = Plan { save: Some(save.clone()), ..Plan::default() };
    let right = course::source("course/labs/tiny/solution/right.rs");
    let submission = grader::build::Submission::at(&right);
    // After every check there is a report on disk, and it is a whole file.
    let mut seen = Vec::new();
    let report = tiny.supervisor.grade(&tiny.ready, &submission, &plan, &mut |progress| {
        let text = std::fs::read(&save).unwrap();
        let saved: Report = serde_json::from_slice(&text).unwrap();
        match progress {
            Progress::SoFar(report) => assert_eq!(saved, *report),
            _ => {
                assert!(!saved.is_whole);
                seen.push(saved.score);
            }
        }
    });
    assert_eq!(seen.len(), 1 + 6);
    let saved: Report = serde_json::from_slice(&std::fs::read(&save).unwrap()).unwrap();
    assert_eq!(saved, report);

    let outcome = |id: &str| report.check(id).unwrap().outcome.clone();
    for id in ["panics", "exits", "missing"] {
        assert!(outcome(id).is_graders(), "{id}: {:?}", outcome(id));
    }
    let Outcome::Failed { expected, .. } = outcome("hangs") else { panic!("{report:#?}") };
    assert_eq!(expected, "an end within 1 s");
    assert!(outcome("puts").is_passed() && outcome("keeps").is_passed());
    assert_eq!(report.score, 100);
    assert!(report.needs_rerun && report.is_whole);
    assert!(report.mode != Mode::Tree || !report.official);
}

/// Each time it is the same again, so a rerun would help nobody.
fn in_the_way() {
    let mut tiny = Tiny::in_mode(Mode::Full);
    tiny.ready.lab.rubric.checks = vec![in_rubric(PLANTS, 10)];
    // (Root of a user namespace, as an ordinary user's grader is, makes files in there all the same.)
    for (submission, errno) in [("locks_out", "EACCES"), ("fills", "ENOSPC")] {
        let report = tiny.grade(&format!("submissions/{submission}.rs"));
        assert!(report.is_whole && !report.needs_rerun, "{report:#?}");
        match &report.checks[0].outcome {
            Outcome::Failed { shown, .. } => assert!(shown.contains(errno), "{shown}"),
            Outcome::Passed => assert!(errno == "EACCES" && !nix::unistd::geteuid().is_root()),
            _ => panic!("{report:#?}"),
        }
    }
}
