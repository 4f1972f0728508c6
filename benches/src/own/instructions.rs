//! Instructions in user space, counted by valgrind's callgrind: the same number on a busy machine
//! and on a quiet one.

use std::process::{Command, Stdio};

use super::worker::arguments;
use super::{Job, On, Who};

/// So many rounds more in the second run than in the first: what both have in common, the start of
/// the process and the first round, cancels out.
const ROUNDS: u32 = 500;
/// Rounds of the first run: enough for malloc's caches to be filled.
const FIRST: u32 = 20;

/// valgrind, once it is known that it is there.
#[derive(Debug)]
pub struct Valgrind {
    /// What the loop itself takes.
    empty: f64,
}

impl Valgrind {
    /// # Errors
    ///
    /// A sentence that says why it cannot be used.
    pub fn find() -> Result<Valgrind, String> {
        // Any file does: nothing is done with it.
        let on = On { file: "/dev/null".into(), segment: -1 };
        let empty = per_round(Job::Nothing, Who::Ours, &on)?;
        Ok(Valgrind { empty })
    }

    /// Instructions of a round, without the loop around it; `None` where nobody does that.
    ///
    /// # Errors
    ///
    /// A sentence about what valgrind, or the work below it, complained about.
    pub fn count(&self, job: Job, who: Who, on: &On) -> Result<f64, String> {
        Ok(per_round(job, who, on)? - self.empty)
    }
}

fn per_round(job: Job, who: Who, on: &On) -> Result<f64, String> {
    let [less, more] = [FIRST, FIRST + ROUNDS].map(|rounds| collected(job, who, rounds, on));
    Ok((more? as f64 - less? as f64) / f64::from(ROUNDS))
}

/// All instructions of a process that does `rounds` rounds.
fn collected(job: Job, who: Who, rounds: u32, on: &On) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| format!("this program: {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments(job, who, rounds, on))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                "valgrind is not installed (Debian: apt install valgrind)".to_owned()
            }
            _ => format!("valgrind: {error}"),
        })?;
    let said = String::from_utf8_lossy(&output.stderr);
    // `==123== Collected : 456`
    let number =
        said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    match number {
        Some(number) if output.status.success() => Ok(number),
        _ => {
            let last = said.lines().last().unwrap_or_default();
            Err(format!("valgrind, {job:?} by {who:?}: {}: {last}", output.status))
        }
    }
}
