//! `lab handout`: what a class gets.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use grader::handout;
use grader::supervisor::Course;
use ipc_common::cli::{Failure, out, shown};

/// Write the repository that a class gets: no solutions, no mutants, no hidden checks.
#[derive(Args)]
#[command(after_help = "\
The handout builds, the tests of its grader and its labs pass, and list, show, check, hint, watch, reset
and doctor work in it. Its rubrics have the visible checks, and the number of points that the hidden ones are worth.

Exit codes: 0 done, 1 failed (and then nothing is left), 2 wrong usage.")]
pub struct Handout {
    /// A new folder, or an empty one.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Handout {
    /// Runs it.
    pub fn run(self) -> Result<(), Failure> {
        let course = Course::find()?;
        let handout::Handout { labs, files } = handout::make(&course, &self.out)?;
        let mut out = out();
        writeln!(out, "{}: {files} files, labs {}", shown(&self.out), labs.join(", "))?;
        writeln!(out, "Make a repository of it: git init, git add ., git commit")?;
        Ok(())
    }
}
