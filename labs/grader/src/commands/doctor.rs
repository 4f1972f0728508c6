//! `lab doctor`: what will work here.

use std::io::Write;
use std::path::Path;

use clap::Args;
use grader::doctor::{self, State};
use grader::report;
use grader::supervisor::Course;
use ipc_common::cli::{Failure, out, style};

/// What will work on this machine, in which mode, and what to do about the rest.
#[derive(Args)]
#[command(after_help = "\
Exit codes: 0 labs can be checked here, though perhaps something is limited; 1 they cannot; 2 wrong
usage.")]
pub struct Doctor {
    /// As JSON instead.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// [`Failure::Said`] if labs cannot be checked here.
    pub fn run(self) -> Result<(), Failure> {
        let course = Course::find()?;
        let findings = doctor::examine(&course, Path::new("/proc/self/exe"));
        let mut out = out();
        if self.json {
            let text = serde_json::to_string_pretty(&findings).unwrap_or_default();
            writeln!(out, "{text}")?;
        } else {
            for finding in &findings {
                let (sign, look) = match finding.state {
                    State::Good => ("ok", style::KERNEL),
                    State::Limited => ("--", style::WARNING),
                    State::Bad => ("NO", style::ERROR),
                };
                let (topic, found) = (finding.topic, &finding.found);
                writeln!(out, "{look}{sign}{look:#}  {topic:<20} {found}")?;
                if let Some(advice) = &finding.advice {
                    report::paragraph(&mut out, "do:", advice)?;
                }
            }
            let count = |state| findings.iter().filter(|one| one.state == state).count();
            match (count(State::Bad), count(State::Limited)) {
                (0, 0) => writeln!(out, "\nAll is as it should be.")?,
                (0, n) => writeln!(out, "\nLabs can be checked here; {n} limited.")?,
                (n, _) => writeln!(out, "\nLabs cannot be checked here: {n} to mend.")?,
            }
        }
        match findings.iter().any(|finding| finding.state == State::Bad) {
            true => Err(Failure::Said),
            false => Ok(()),
        }
    }
}
