//! `lab list`: the labs, and how far one is.

use std::io::Write;

use clap::Args;
use grader::rubric::{Rubric, Visibility};
use grader::student::{LabProgress, Progress};
use grader::supervisor::Course;
use ipc_common::cli::{Failure, out, style, warn};
use serde_json::json;

/// The labs, and how far you are: what passed when you last ran `lab check`.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub struct List {
    /// As JSON instead.
    #[arg(long)]
    json: bool,
}

impl List {
    /// Runs it.
    pub fn run(self) -> Result<(), Failure> {
        let course = Course::find()?;
        let progress = progress();
        let mut out = out();
        let mut labs = Vec::new();
        for id in course.labs() {
            let rubric = course.lab(&id)?.rubric;
            let lab = progress.labs.get(&id).cloned().unwrap_or_default();
            labs.push((rubric, lab));
        }
        if self.json {
            let labs: Vec<_> = labs.iter().map(|(rubric, lab)| as_json(rubric, lab)).collect();
            let text = serde_json::to_string_pretty(&labs).unwrap_or_default();
            writeln!(out, "{text}")?;
            return Ok(());
        }
        for (rubric, lab) in &labs {
            show(&mut out, rubric, lab)?;
        }
        writeln!(out, "Begin with: cargo lab show LAB")?;
        Ok(())
    }
}

/// What is kept; if it cannot be had, the rest works without.
pub fn progress() -> Progress {
    Progress::load().unwrap_or_else(|error| {
        warn(&error);
        Progress::default()
    })
}

fn visible(rubric: &Rubric) -> u32 {
    let visible = rubric.checks.iter().filter(|check| check.visibility == Visibility::Visible);
    visible.map(|check| check.points).sum()
}

fn show(out: &mut dyn Write, rubric: &Rubric, lab: &LabProgress) -> std::io::Result<()> {
    const WIDTH: usize = 24;
    let (strong, faint) = (style::STRONG, style::FAINT);
    let (points, total) = (lab.points(rubric), rubric.total());
    let full = (WIDTH * points as usize).checked_div(total as usize).unwrap_or_default();
    let known = (WIDTH * visible(rubric) as usize).div_ceil(total.max(1) as usize).max(full);
    let bar = [
        "█".repeat(full),
        "░".repeat(known - full),
        format!("{faint}{}{faint:#}", "·".repeat(WIDTH - known)),
    ];
    writeln!(out, "{strong}{}{strong:#}  {}", rubric.id, rubric.title)?;
    write!(out, "  {}  {points} of {total} points", bar.concat())?;
    match total - visible(rubric) {
        0 => writeln!(out)?,
        hidden => writeln!(out, "{faint}, {hidden} of them in hidden checks{faint:#}")?,
    }
    let next = match (lab.checked, lab.next(rubric)) {
        (0, _) => "not begun".to_owned(),
        (_, Some(next)) => format!("next: {next}"),
        (_, None) => "all visible checks pass".to_owned(),
    };
    writeln!(out, "  {faint}{} h, slides: {}{faint:#}", rubric.hours, rubric.slide)?;
    writeln!(out, "  {next}\n")
}

fn as_json(rubric: &Rubric, lab: &LabProgress) -> serde_json::Value {
    let checks: Vec<_> = rubric
        .checks
        .iter()
        .filter(|check| check.visibility == Visibility::Visible)
        .map(|check| {
            json!({
                "id": check.id,
                "title": check.title,
                "points": check.points,
                "passed": lab.passed.get(&check.id),
            })
        })
        .collect();
    json!({
        "id": rubric.id,
        "title": rubric.title,
        "slide": rubric.slide,
        "hours": rubric.hours,
        "points": lab.points(rubric),
        "visible": visible(rubric),
        "total": rubric.total(),
        "checked": if lab.checked == 0 { None } else { Some(lab.checked) },
        "next": lab.next(rubric),
        "checks": checks,
    })
}
