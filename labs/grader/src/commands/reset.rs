//! `lab reset`: the starter again.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use grader::student::{keep, starter};
use grader::supervisor::Course;
use grader::verdict::save_atomically;
use ipc_common::cli::{Failure, out, shown};

/// Begin a lab again: its files as they were handed out. What you have is kept.
#[derive(Args)]
#[command(after_help = "\
A copy of your files goes to the `kept` folder beside your progress, and the command says where.

Exit codes: 0 done, or there was nothing to do; 1 failed, or you said no; 2 wrong usage.")]
pub struct Reset {
    /// The lab: see `lab list`.
    lab: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

impl Reset {
    /// Runs it.
    pub fn run(self) -> Result<(), Failure> {
        let lab = Course::find()?.lab(&self.lab)?;
        let files = starter(&lab)?;
        let differs = |(file, text): &&(String, String)| {
            fs::read(lab.folder.join(file)).map_or(true, |now| now != text.as_bytes())
        };
        let changed: Vec<&(String, String)> = files.iter().filter(differs).collect();
        let mut out = out();
        if changed.is_empty() {
            writeln!(out, "{} is as it was handed out: nothing to do.", self.lab)?;
            return Ok(());
        }
        let names: Vec<&str> = changed.iter().map(|(file, _)| file.as_str()).collect();
        if !self.yes && !agreed(&format!("{}: {}", shown(&lab.folder), names.join(", ")))? {
            writeln!(out, "Nothing is changed.")?;
            return Err(Failure::Said);
        }
        let kept = keep(&lab)?;
        for (file, text) in &changed {
            save_atomically(&lab.folder.join(file), text.as_bytes())?;
        }
        writeln!(out, "{} is as it was handed out. Yours is kept in {}", self.lab, shown(&kept))?;
        Ok(())
    }
}

/// Asks at the terminal. Without one there is nobody to ask.
fn agreed(what: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "there is no terminal to ask at: --yes says that you mean it".into(),
        ));
    }
    let mut err = anstream::stderr();
    write!(err, "Put the starter in the place of {what}? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
