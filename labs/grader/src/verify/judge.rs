//! What is wrong with a result: with the grader, that is, or with the rubric, or the fixture.

use serde::Serialize;

use super::Kind;
use crate::rubric::Rubric;
use crate::verdict::{Outcome, Report};

/// A result, and what is wrong with it.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// What was graded.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The reports, one a round.
    pub reports: Vec<Report>,
    /// What is wrong, in words; nothing if all is as it should be.
    pub complaints: Vec<String>,
}

/// Holds a subject's reports against what is expected of it.
pub fn judge(kind: &Kind, name: &str, rubric: &Rubric, reports: Vec<Report>) -> Judged {
    let mut complaints = Vec::new();
    for (round, report) in reports.iter().enumerate() {
        let at = if reports.len() > 1 { format!("round {}: ", round + 1) } else { String::new() };
        complaints.extend(one(kind, rubric, report).into_iter().map(|what| at.clone() + &what));
    }
    Judged { name: name.to_owned(), kind: kind.clone(), reports, complaints }
}

fn one(kind: &Kind, rubric: &Rubric, report: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |holds: bool, otherwise: &dyn Fn() -> String| {
        if !holds {
            wrong.push(otherwise());
        }
    };
    expect(report.is_whole && !report.needs_rerun, &|| {
        let failed = report.checks.iter().find_map(|check| match &check.outcome {
            Outcome::GraderFailed { what } => Some(format!("{}: {what}", check.id)),
            _ => None,
        });
        let notes = report.notes.join("; ");
        format!("the grader failed: {} {notes}", failed.unwrap_or_default())
    });
    let messages = report.build.as_ref().map_or("", |build| &build.messages);
    let compiles = report.build.as_ref().is_some_and(|build| build.succeeded);
    if matches!(kind, Kind::Starter | Kind::Solution | Kind::Mutant { .. }) {
        expect(compiles, &|| format!("it does not compile: {messages}"));
        expect(messages.is_empty(), &|| format!("it is warned of: {messages}"));
    }
    match kind {
        Kind::Starter | Kind::Hostile => {
            expect(report.score == 0, &|| format!("it earns {} points", report.score));
        }
        Kind::Solution => expect(report.score == report.total, &|| failures(report)),
        Kind::Mutant { fails } => {
            let open = report.not_passed();
            for id in fails {
                expect(!compiles || open.contains(&id.as_str()), &|| format!("it passes {id}"));
            }
            for id in &open {
                let may = fails.iter().any(|fails| depends(rubric, id, fails));
                expect(!compiles || may, &|| format!("it fails {}", failure(report, id)));
            }
        }
        Kind::Extra => {}
    }
    wrong
}

/// Whether a check depends on another one, over others perhaps; on itself, it does.
pub(super) fn depends(rubric: &Rubric, id: &str, on: &str) -> bool {
    id == on
        || rubric
            .check(id)
            .is_some_and(|check| check.depends.iter().any(|direct| depends(rubric, direct, on)))
}

fn failures(report: &Report) -> String {
    let open = report.not_passed();
    let open: Vec<String> = open.into_iter().map(|id| failure(report, id)).collect();
    format!("it earns {} points: {}", report.score, open.join("; "))
}

fn failure(report: &Report, id: &str) -> String {
    match report.check(id).map(|check| &check.outcome) {
        Some(Outcome::Failed { expected, shown, .. }) => {
            format!("{id} (expected: {expected}; seen: {shown})")
        }
        Some(Outcome::NotRun { why }) => format!("{id} (not run: {why})"),
        Some(Outcome::GraderFailed { what }) => format!("{id} (the grader: {what})"),
        _ => id.to_owned(),
    }
}
