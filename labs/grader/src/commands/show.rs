//! `lab show`: the handout, in the terminal.

use std::fs;
use std::io::Write;

use clap::Args;
use grader::report;
use grader::rubric::Visibility;
use grader::supervisor::Course;
use ipc_common::Error;
use ipc_common::cli::{Failure, out, style};

use super::list;

/// The handout of a lab, and its checks: what is asked for, and how to try it.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub struct Show {
    /// The lab: see `lab list`.
    lab: String,
}

impl Show {
    /// Runs it.
    pub fn run(self) -> Result<(), Failure> {
        let lab = Course::find()?.lab(&self.lab)?;
        let path = lab.folder.join("README.md");
        let text = fs::read_to_string(&path)
            .map_err(|error| Error::from_io("open", &error, path.display().to_string()))?;
        let mut out = out();
        report::markdown(&mut out, &text)?;
        let progress = list::progress();
        let progress = progress.labs.get(&self.lab).cloned().unwrap_or_default();
        let strong = style::STRONG;
        writeln!(out, "\n{strong}Visible checks{strong:#}\n")?;
        for check in &lab.rubric.checks {
            if check.visibility == Visibility::Visible {
                let sign = if progress.has_passed(&check.id) { "pass" } else { "    " };
                let good = style::KERNEL;
                let (id, points, title) = (&check.id, check.points, &check.title);
                writeln!(out, "  {good}{sign}{good:#} {points:>3}  {id:<16} {title}")?;
            }
        }
        let files = lab.rubric.files.join(", ");
        writeln!(out, "\nYours to write: {files} in {}", ipc_common::cli::shown(&lab.folder))?;
        writeln!(out, "Then: cargo lab check {}", self.lab)?;
        Ok(())
    }
}
