//! Which mutant fails which check: whether every check is needed, and every mutant seen.

use std::io::{self, Write};

use serde::Serialize;

use super::{Judged, Kind};
use crate::rubric::Rubric;
use crate::verdict::Outcome;

/// The kill matrix of a lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// The columns: the rubric's checks, in order.
    pub checks: Vec<String>,
    /// The rows: a mutant's name, and a sign for each check: `F` failed, as its header says; `f`
    /// failed besides; `-` not run, since it depends on one that failed; `.` passed; `?` the grader's
    /// fault.
    pub rows: Vec<(String, String)>,
}

impl Matrix {
    /// The matrix of what was found.
    pub fn of(rubric: &Rubric, judged: &[Judged]) -> Matrix {
        let checks = rubric.checks.iter().map(|check| check.id.clone()).collect();
        let rows = judged.iter().filter_map(|judged| {
            let Kind::Mutant { fails } = &judged.kind else { return None };
            let report = judged.reports.first()?;
            let signs = report.checks.iter().map(|check| match &check.outcome {
                Outcome::Passed => '.',
                Outcome::Failed { .. } if fails.contains(&check.id) => 'F',
                Outcome::Failed { .. } => 'f',
                Outcome::NotRun { .. } => '-',
                Outcome::GraderFailed { .. } => '?',
            });
            Some((judged.name.clone(), signs.collect()))
        });
        Matrix { checks, rows: rows.collect() }
    }

    /// Checks that no mutant fails: nobody knows whether they can fail at all.
    pub fn never_failed(&self) -> Vec<&str> {
        let fails = |column: usize| {
            self.rows.iter().any(|(_, signs)| matches!(signs.chars().nth(column), Some('F' | 'f')))
        };
        let checks = self.checks.iter().enumerate();
        checks.filter(|(column, _)| !fails(*column)).map(|(_, id)| id.as_str()).collect()
    }

    /// Draws it.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn draw(&self, out: &mut dyn Write) -> io::Result<()> {
        let width = self.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (column, id) in self.checks.iter().enumerate() {
            writeln!(out, "{:width$}  {}{id}", "", "| ".repeat(column))?;
        }
        for (name, signs) in &self.rows {
            let signs: Vec<String> = signs.chars().map(String::from).collect();
            writeln!(out, "{name:width$}  {}", signs.join(" "))?;
        }
        writeln!(out, "F failed, as its header says; f failed besides; - not run; . passed")
    }
}
