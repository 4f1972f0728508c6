//! `lab hint`: help, one stage after the other.

use std::io::Write;

use clap::Args;
use grader::report;
use grader::rubric::RubricCheck;
use grader::student::{Progress, hints};
use grader::supervisor::Course;
use ipc_common::cli::{Failure, out, style, warn};
use serde_json::json;

use super::list;

/// Help with a check, a little more each time.
#[derive(Args)]
#[command(after_help = "\
Each call shows one stage more: a nudge, the whole hint, then what people who fail the check often
believe. --all shows everything at once, --from-start begins again.

Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub struct Hint {
    /// The lab: see `lab list`.
    lab: String,
    /// The check; the first visible one that is not passed, if it is not given.
    check: Option<String>,
    /// All stages at once.
    #[arg(long)]
    all: bool,
    /// From the first stage on again.
    #[arg(long, conflicts_with = "all")]
    from_start: bool,
    /// As JSON instead.
    #[arg(long)]
    json: bool,
}

impl Hint {
    /// Runs it.
    pub fn run(self) -> Result<(), Failure> {
        let lab = Course::find()?.lab(&self.lab)?;
        let progress = list::progress();
        let so_far = progress.labs.get(&self.lab).cloned().unwrap_or_default();
        let id = match &self.check {
            Some(id) => id.as_str(),
            None => match so_far.next(&lab.rubric) {
                Some(id) => id,
                None => {
                    writeln!(out(), "All visible checks of {} pass.", self.lab)?;
                    return Ok(());
                }
            },
        };
        let Some(check) = lab.rubric.check(id) else {
            let known: Vec<&str> =
                lab.rubric.checks.iter().map(|check| check.id.as_str()).collect();
            let known = known.join(", ");
            return Err(Failure::Usage(format!(
                "{} has no check {id:?}; it has: {known}",
                self.lab
            )));
        };
        let stages = hints(check);
        let before = if self.from_start { 0 } else { so_far.hints.get(id).copied().unwrap_or(0) };
        let shown = if self.all { stages.len() } else { (before + 1).min(stages.len()) };
        let kept = Progress::change(|progress| {
            let lab = progress.labs.entry(self.lab.clone()).or_default();
            lab.hints.insert(id.to_owned(), shown);
        });
        if let Err(error) = kept {
            warn(&error);
        }
        let stages = &stages[..];
        self.tell(check, &stages[..shown], stages.len() - shown)
    }

    fn tell(&self, check: &RubricCheck, shown: &[String], left: usize) -> Result<(), Failure> {
        let mut out = out();
        if self.json {
            let hints = json!({ "lab": self.lab, "check": check.id, "hints": shown, "left": left });
            let text = serde_json::to_string_pretty(&hints).unwrap_or_default();
            writeln!(out, "{text}")?;
            return Ok(());
        }
        let strong = style::STRONG;
        writeln!(out, "{strong}{}{strong:#} ({})", check.title, check.id)?;
        if !check.depends.is_empty() {
            report::paragraph(&mut out, "first", &check.depends.join(", "))?;
        }
        for (number, words) in shown.iter().enumerate() {
            report::paragraph(&mut out, &format!("hint {}", number + 1), words)?;
        }
        match left {
            0 => {}
            1 => writeln!(out, "One more: the same command again.")?,
            n => writeln!(out, "{n} more: the same command again.")?,
        }
        Ok(())
    }
}
