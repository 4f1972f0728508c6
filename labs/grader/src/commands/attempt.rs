//! `lab try`: for who writes checks. Runs them against a driver that was built by hand, with no
//! sandbox, so with a program that one trusts.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use grader::check::Stop;
use grader::random::Seed;
use grader::stage::Stage;
use ipc_common::Error;
use ipc_common::cli::{Failure, out};

/// Run a lab's checks against a driver built by hand, without a sandbox.
#[derive(Args)]
pub struct Try {
    /// The lab.
    lab: String,
    /// The driver: a program.
    program: PathBuf,
    /// Only checks whose id contains this.
    #[arg(default_value = "")]
    filter: String,
    /// The seed of a run that is to be done again.
    #[arg(long)]
    seed: Option<Seed>,
}

impl Try {
    /// Runs it.
    pub fn run(self) -> Result<(), Failure> {
        let Some(lab) = grader::checks::all().iter().find(|lab| lab.lab == self.lab) else {
            return Err(Failure::Usage(format!("there are no checks of a lab {:?}", self.lab)));
        };
        let seed = self.seed.map_or_else(Seed::fresh, Ok)?;
        let mut out = out();
        writeln!(out, "seed {seed}")?;
        let mut failed = false;
        for check in lab.checks.iter().filter(|check| check.id.contains(&self.filter)) {
            let folder = std::env::temp_dir().join(format!("ipc-course-try-{}", Seed::fresh()?));
            fs::create_dir(&folder)
                .map_err(|e| Error::from_io("mkdir", &e, folder.display().to_string()))?;
            let limit = Duration::from_secs(20);
            let begun = std::time::Instant::now();
            let verdict = Stage::unprotected(&self.program, &folder, seed, check.id, limit)
                .map_err(Stop::from)
                .and_then(|mut stage| {
                    let verdict = (check.run)(&mut stage);
                    for object in stage.new_objects()? {
                        writeln!(out, "      leaves {object}").ok();
                    }
                    verdict
                });
            let _ = fs::remove_dir_all(&folder);
            let took = begun.elapsed().as_millis();
            failed |= verdict.is_err();
            match verdict {
                Ok(()) => writeln!(out, "pass  {} ({took} ms)", check.id)?,
                Err(Stop::Failed(finding)) => writeln!(
                    out,
                    "FAIL  {} ({took} ms)\n      expected {}\n      shown    {}\n      because  {}",
                    check.id,
                    finding.expected,
                    finding.shown,
                    finding.misconception.unwrap_or("-")
                )?,
                Err(Stop::Grader(what)) => writeln!(out, "????  {} {what}", check.id)?,
            }
        }
        if failed { Err(Failure::Said) } else { Ok(()) }
    }
}
