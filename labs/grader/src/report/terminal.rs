//! A report at the terminal: a line a check, and the first failure explained.

use std::io::{self, Write};

use anstyle::Style;
use ipc_common::cli::style;

use crate::rubric::Rubric;
use crate::shown;
use crate::verdict::{CheckResult, Outcome, Report};

/// How an outcome looks.
fn sign(outcome: &Outcome) -> (&'static str, Style) {
    match outcome {
        Outcome::Passed => ("pass", style::KERNEL),
        Outcome::Failed { .. } => ("FAIL", style::ERROR),
        Outcome::NotRun { .. } => ("----", style::WARNING),
        Outcome::GraderFailed { .. } => ("????", style::WARNING),
    }
}

/// A line about one check.
///
/// # Errors
///
/// Those of writing.
pub fn line(out: &mut dyn Write, check: &CheckResult) -> io::Result<()> {
    let (sign, style) = sign(&check.outcome);
    let earned = if check.outcome.is_passed() { check.points } else { 0 };
    writeln!(
        out,
        "{style}{sign}{style:#}  {earned:>3}/{:<3} {} ({})",
        check.points, check.title, check.id
    )?;
    if let Outcome::NotRun { why } = &check.outcome {
        writeln!(out, "              not run: {why}")?;
    }
    Ok(())
}

/// What a failure means: what was expected, what the kernel showed, what people then often believe,
/// and where to find help.
///
/// # Errors
///
/// Those of writing.
pub fn explain(out: &mut dyn Write, rubric: &Rubric, check: &CheckResult) -> io::Result<()> {
    match &check.outcome {
        Outcome::Failed { expected, shown, misconception } => {
            paragraph(out, "expected", expected)?;
            paragraph(out, "seen", shown)?;
            let words = misconception.as_deref();
            let words = words.and_then(|id| rubric.check(&check.id)?.words(id));
            if let Some(words) = words {
                paragraph(out, "likely", words)?;
            }
            paragraph(out, "help", &format!("cargo lab hint {} {}", rubric.id, check.id))
        }
        Outcome::GraderFailed { what } => {
            paragraph(out, "grader", &format!("it could not look: {what}"))?;
            paragraph(out, "", "That is not your program's fault. Run it again.")
        }
        Outcome::Passed | Outcome::NotRun { .. } => Ok(()),
    }
}

/// The score, the mode, and whatever else there is to know.
///
/// # Errors
///
/// Those of writing.
pub fn summary(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let (score, total, mode) = (report.score, report.total, report.mode);
    writeln!(out, "\n{score} of {total} points, in mode {mode}, seed {}", report.seed)?;
    if !mode.is_official() {
        writeln!(out, "These points are not official: mode {mode} can be outwitted.")?;
    }
    for note in &report.notes {
        let style = style::WARNING;
        writeln!(out, "{style}grader:{style:#} {}", shown::line(note.as_bytes(), 500))?;
    }
    Ok(())
}

/// A word in front, and text beside it in lines that people read.
///
/// # Errors
///
/// Those of writing.
pub fn paragraph(out: &mut dyn Write, head: &str, text: &str) -> io::Result<()> {
    const WIDTH: usize = 76;
    let mut head = head;
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + word.chars().count() >= WIDTH {
            writeln!(out, "      {head:<9} {line}")?;
            head = "";
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "      {head:<9} {line}")
}
