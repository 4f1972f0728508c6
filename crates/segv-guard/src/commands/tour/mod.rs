//! `tour`: every illegal access there is, each really committed. Slide "Illegal Memory Access".
//!
//! Each deed has a process of its own, this program started again as `commit NAME`:
//!
//! ```text
//!   tour ── starts ──► commit null-field
//!                        the deed is arranged           ◄── the parent notes what is mapped
//!                        a probe: Err, and it goes on
//!                        the plain instruction: SIGSEGV
//!                        the handler tells the parent   ◄── which looks again, and explains
//!                        the instruction once more      ◄── killed by SIGSEGV, as the parent sees
//! ```
//!
//! # Layout
//!
//! `deed` is what a deed is; `deeds` are all of them; `instruction` the few instructions that do
//! it; `commit` the child; `report` what it says to its parent; `seen` what the parent made of it;
//! here: the command.

mod commit;
mod deed;
mod deeds;
mod instruction;
pub mod report;
mod seen;

pub use commit::Commit;

use std::io::Write;

use clap::Args;
use ipc_common::cli::style::{FAINT, STRONG};
use ipc_common::cli::{Failure, Quit, out, watching};
use serde_json::json;

use super::{count, own};
use deed::Deed;
use seen::{Outcome, Seen};

/// See every illegal access there is: each committed in a child, caught and explained
///
/// For each of them this program is started again. The child first tries the access by a probe of
/// the library, which returns an error, and the child goes on. Then it runs the plain instruction.
/// A handler reports what the kernel told it: signal, code, address, and whether it was a read, a
/// write or a call. The parent looks at the child's mappings and explains the fault; then the
/// instruction runs once more, with nobody to catch it, and the parent sees what the child died of.
///
/// Accesses that this machine does not refuse, or cannot arrange, are named at the end with the
/// reason.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segv-guard tour
  segv-guard tour --list
  segv-guard tour --only null-field --only truncated-read
  segv-guard tour --json
  segv-guard commit null-read           one of them without any net: see what your shell says

Exit codes: 0 each was refused; 1 failed, or an access that should be refused was not; 2 wrong
usage; 128+n ended by signal n.")]
pub struct Tour {
    /// Only this one; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Name them all and commit none
    #[arg(long)]
    list: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Tour {
    pub fn run(self) -> Result<(), Failure> {
        let deeds = self.chosen()?;
        if self.list {
            return self.list(&deeds);
        }
        watching(|quit| self.commit(&deeds, quit))
    }

    fn commit(&self, deeds: &[&'static Deed], quit: &Quit) -> Result<(), Failure> {
        let mut all = Vec::new();
        for deed in deeds {
            let seen = Seen::watch(deed, quit)?;
            if !self.json && !seen.is_skipped() {
                let mut out = out();
                writeln!(out, "{seen}")?;
                out.flush()?;
            }
            all.push(seen);
        }
        if self.json {
            let deeds: Vec<_> = all.iter().map(Seen::as_json).collect();
            writeln!(out(), "{}", json!({ "deeds": deeds }))?;
        } else {
            self.sum_up(&all)?;
        }
        verdict(&all)
    }

    fn chosen(&self) -> Result<Vec<&'static Deed>, Failure> {
        if self.only.is_empty() {
            return Ok(deed::all().collect());
        }
        self.only.iter().map(|name| deed::named(name).ok_or_else(|| unknown(name))).collect()
    }

    fn list(&self, deeds: &[&Deed]) -> Result<(), Failure> {
        let mut out = out();
        if self.json {
            let deeds: Vec<_> =
                deeds.iter().map(|deed| json!({ "name": deed.name, "done": deed.done })).collect();
            writeln!(out, "{}", json!({ "deeds": deeds }))?;
            return Ok(());
        }
        for deed in deeds {
            writeln!(out, "{STRONG}{:<24}{STRONG:#}{}", deed.name, deed.done)?;
        }
        Ok(())
    }

    fn sum_up(&self, all: &[Seen]) -> Result<(), Failure> {
        let mut out = out();
        let committed = all.iter().filter(|seen| !seen.is_skipped());
        let (refused, through): (Vec<_>, Vec<_>) =
            committed.partition(|seen| matches!(seen.outcome, Outcome::Refused { .. }));
        writeln!(out, "{} refused", count(refused.len(), "access", "accesses"))?;
        if !through.is_empty() {
            writeln!(out, "{} not refused, though it should be", through.len())?;
        }
        for seen in all {
            if let Outcome::Skipped(reason) = &seen.outcome {
                let name = seen.deed.name;
                writeln!(out, "not committed: {STRONG}{name}{STRONG:#} {FAINT}{reason}{FAINT:#}")?;
            }
        }
        Ok(())
    }
}

/// Fails if one was not refused, which has been said by then.
fn verdict(all: &[Seen]) -> Result<(), Failure> {
    let through = all.iter().any(|seen| matches!(seen.outcome, Outcome::Unharmed));
    if through { Err(Failure::Said) } else { Ok(()) }
}

fn unknown(name: &str) -> Failure {
    Failure::Usage(format!("there is no access named {name:?}; see {}", own("tour --list")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_that_is_not_refused_is_a_failure_and_one_left_out_is_not() {
        let deed = deed::named("null-read").unwrap();
        let skipped = || Seen { deed, outcome: Outcome::Skipped("no reason".into()) };
        assert!(verdict(&[skipped()]).is_ok());
        let through = Seen { deed, outcome: Outcome::Unharmed };
        assert!(matches!(verdict(&[skipped(), through, skipped()]), Err(Failure::Said)));
    }
}
