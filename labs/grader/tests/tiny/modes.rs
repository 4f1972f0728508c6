//! The same submissions in every mode that there is here.

use std::io::Write;
use std::process::ExitCode;

use grader::sandbox::Mode;
use grader::supervisor::Found;
use grader::verdict::{Outcome, Report};
use grader::verify::Verification;
use testkit::Case;

use crate::course::{self, Tiny};

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn(), needs| Case { name, run, needs };
    vec![
        case("submissions_in_mode_full", || submissions(Mode::Full), &[full]),
        case("submissions_in_mode_run_uid", || submissions(Mode::RunUid), &[run_uid]),
        case("submissions_in_mode_landlock", || submissions(Mode::Landlock), &[landlock]),
        case("submissions_in_mode_tree", || submissions(Mode::Tree), &[tree]),
        case("verify_in_mode_full", || verify(Mode::Full), &[full]),
        case("verify_in_mode_run_uid", || verify(Mode::RunUid), &[run_uid]),
        case("verify_in_mode_landlock", || verify(Mode::Landlock), &[landlock]),
        case("a_compiler_that_is_never_done_is_stopped", compiles_for_ever, &[tree]),
    ]
}

pub fn full() -> Result<(), String> {
    course::mode(Mode::Full)
}
pub fn run_uid() -> Result<(), String> {
    course::mode(Mode::RunUid)
}
pub fn landlock() -> Result<(), String> {
    course::mode(Mode::Landlock)
}
pub fn tree() -> Result<(), String> {
    course::mode(Mode::Tree)
}

/// What this program does as `tiny modes`: says which mode it finds.
pub fn tell() -> ExitCode {
    let found = Found::look(&course::this_program());
    let mut out = std::io::stdout();
    writeln!(out, "best {}", found.best).expect("somebody listens");
    for (mode, why) in found.why_not {
        writeln!(out, "{mode}: {why}").expect("somebody listens");
    }
    ExitCode::SUCCESS
}

fn submissions(mode: Mode) {
    let tiny = Tiny::in_mode(mode);
    let whole = |report: &Report| {
        assert!(report.is_whole && !report.needs_rerun, "{report:#?}");
        assert_eq!((report.mode, report.official), (mode, mode != Mode::Tree));
    };

    let right = tiny.grade("course/labs/tiny/solution/right.rs");
    whole(&right);
    assert_eq!(right.score, 100, "{right:#?}");
    assert_eq!(right.build.unwrap().messages, "");
    assert_eq!(right.swept, Vec::<String>::new());

    let boasts = tiny.grade("course/labs/tiny/mutants/boasts.rs");
    whole(&boasts);
    assert_eq!(boasts.score, 0, "{boasts:#?}");
    let Outcome::Failed { misconception, .. } = &boasts.check("puts").unwrap().outcome else {
        panic!("{boasts:#?}")
    };
    assert_eq!(misconception.as_deref(), Some("boasts"));
    let later = &boasts.check("keeps").unwrap().outcome;
    assert_eq!(*later, Outcome::NotRun { why: "it needs puts".into() });

    let forgets = tiny.grade("course/labs/tiny/mutants/forgets.rs");
    whole(&forgets);
    assert_eq!((forgets.score, forgets.not_passed()), (60, vec!["keeps"]));

    let endless = tiny.grade("course/labs/tiny/mutants/endless.rs");
    whole(&endless);
    assert_eq!(endless.score, 0);

    let broken = tiny.grade("submissions/broken.rs");
    whole(&broken);
    let build = broken.build.unwrap();
    assert!(!build.succeeded && build.messages.contains("--> src/lib.rs:"), "{build:?}");
    assert!(!build.messages.contains('\u{1b}'), "{build:?}");
    assert_eq!(broken.score, 0);

    let missing = tiny.grade("submissions/nobody-handed-this-in.rs");
    whole(&missing);
    assert_eq!((missing.score, missing.build), (0, None));
}

fn compiles_for_ever() {
    let report = Tiny::in_mode(Mode::Tree).grade("submissions/compiles_for_ever.rs");
    assert!(report.is_whole && !report.needs_rerun, "{report:#?}");
    let build = report.build.unwrap();
    // By its CPU time; on a machine that is busy with others, by the clock.
    let stopped = ["more time", "not compiled after"].iter().any(|w| build.messages.contains(w));
    assert!(!build.succeeded && stopped, "{build:?}");
}

/// The same that `lab verify` does.
fn verify(mode: Mode) {
    let tiny = Tiny::in_mode(mode);
    let how = Verification { repeat: 3, jobs: 2, extra: None };
    let found = grader::verify::verify(&tiny.supervisor, &tiny.ready, &how, &|_| {}).unwrap();
    let wrong: Vec<&String> = found.judged.iter().flat_map(|one| &one.complaints).collect();
    assert!(wrong.is_empty() && found.complaints.is_empty(), "{wrong:#?} {:#?}", found.complaints);
    assert_eq!(found.judged.len(), 1 + 1 + 4 + 4);
    assert!(found.skipped.is_empty() && found.neighbours > 0);
    let rows = [("boasts", "F-"), ("chats", "F-"), ("endless", "F-"), ("forgets", ".F")];
    let rows = rows.map(|(name, signs)| (name.to_owned(), signs.to_owned()));
    assert_eq!(found.matrix.rows, rows);
    let leaves = found.judged.iter().find(|one| one.name == "leaves").unwrap();
    let left = leaves.reports[0].swept.join("\n");
    for kind in ["segment", "semaphore set", "message queue"] {
        assert!(left.contains(kind), "{left:?}");
    }
    // What JSON there is can be written.
    serde_json::to_string(&found).unwrap();
}
