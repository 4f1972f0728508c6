//! The tables of a class: a line each for the gradebook, and everything as JSON.

use std::path::Path;

use ipc_common::Result;
use serde::Serialize;
use serde_json::json;

use super::{Identity, Ignored};
use crate::report;
use crate::rubric::Rubric;
use crate::verdict::{Report, save_atomically};

/// How far a submission is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Its points are known.
    Graded,
    /// The grader failed somewhere: its points are not known.
    NeedsRerun,
    /// Nobody has looked at it yet.
    NotGraded,
    /// It cannot be read, an archive of another kind perhaps: somebody has to unpack it.
    NotTaken,
}

/// One submission.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What it is called, on one line.
    pub name: String,
    /// Its folder in the report.
    pub folder: String,
    /// How far it is.
    pub status: Status,
    /// Whether the result was there already, from an earlier run.
    pub was_there: bool,
    /// What was graded, and by what.
    pub identity: Option<Identity>,
    /// What was found.
    pub report: Option<Report>,
    /// Why it was not taken, if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Row {
    pub(super) fn waiting(name: String, folder: String) -> Row {
        let status = Status::NotGraded;
        Row { name, folder, status, was_there: false, identity: None, report: None, why: None }
    }

    pub(super) fn not_taken(ignored: &Ignored) -> Row {
        let waiting = Row::waiting(ignored.name.clone(), String::new());
        Row { status: Status::NotTaken, why: Some(ignored.why.clone()), ..waiting }
    }

    /// Its points, if they are known.
    pub fn score(&self) -> Option<u32> {
        let report = self.report.as_ref()?;
        (self.status == Status::Graded).then_some(report.score)
    }
}

/// The class in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many were handed in.
    pub submissions: usize,
    /// How many have points.
    pub graded: usize,
    /// How many of these were there from an earlier run.
    pub were_there: usize,
    /// Who has to be graded again.
    pub needs_rerun: Vec<String>,
    /// What could not be read.
    pub not_taken: Vec<String>,
    /// How many nobody has looked at.
    pub not_graded: usize,
    /// The mean of the points; nothing if nobody has any.
    pub mean: Option<f64>,
    /// The median.
    pub median: Option<f64>,
    /// How many pass each check: its id, how many.
    pub passed: Vec<(String, usize)>,
}

impl Summary {
    /// Adds it up.
    pub fn of(rubric: &Rubric, rows: &[Row]) -> Summary {
        let mut scores: Vec<u32> = rows.iter().filter_map(Row::score).collect();
        scores.sort_unstable();
        let middle = scores.len() / 2;
        let median = match scores.len() {
            0 => None,
            n if n % 2 == 1 => Some(f64::from(scores[middle])),
            _ => Some(f64::from(scores[middle - 1] + scores[middle]) / 2.0),
        };
        let mean = f64::from(scores.iter().sum::<u32>()) / scores.len() as f64;
        let count = |status| rows.iter().filter(|row| row.status == status).count();
        let passes = |id: &str| {
            let reports = rows.iter().filter(|row| row.status == Status::Graded);
            let checks = reports.filter_map(|row| row.report.as_ref()?.check(id));
            checks.filter(|check| check.outcome.is_passed()).count()
        };
        let names = |status| {
            let those = rows.iter().filter(|row| row.status == status);
            those.map(|row| row.name.clone()).collect()
        };
        Summary {
            submissions: rows.len(),
            graded: scores.len(),
            were_there: rows.iter().filter(|row| row.was_there).count(),
            needs_rerun: names(Status::NeedsRerun),
            not_taken: names(Status::NotTaken),
            not_graded: count(Status::NotGraded),
            mean: (!scores.is_empty()).then_some(mean),
            median,
            passed: rubric.checks.iter().map(|c| (c.id.clone(), passes(&c.id))).collect(),
        }
    }
}

/// Writes `grades.csv` and `grades.json`.
pub(super) fn save(
    folder: &Path,
    rubric: &Rubric,
    rows: &[Row],
    ignored: &[Ignored],
) -> Result<()> {
    save_atomically(&folder.join("grades.csv"), report::csv(rubric, rows).as_bytes())?;
    let everything = json!({
        "lab": rubric.id,
        "title": rubric.title,
        "grader": env!("CARGO_PKG_VERSION"),
        "summary": Summary::of(rubric, rows),
        "ignored": ignored,
        "submissions": rows,
    });
    let bytes = serde_json::to_vec_pretty(&everything).unwrap_or_default();
    save_atomically(&folder.join("grades.json"), &bytes)
}
