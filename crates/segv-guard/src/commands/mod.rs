//! The commands, one a file or folder.
//!
//! # Layout
//!
//! `raw` is the lecture's idea in one file, to be read; `tour` commits every illegal access there
//! is; `truncate` cuts a file under a mapping; `overflow`, `lazy` and `dirty` put faults to use;
//! `explain` looks at an address; `demo` tells the story in one go. `sys` wraps the calls that are
//! not safe.

mod demo;
mod dirty;
mod explain;
mod lazy;
mod overflow;
mod raw;
mod sys;
mod tour;
mod truncate;

use clap::{Parser, Subcommand};
use ipc_common::cli::{self, Failure};

/// Illegal memory access: what the kernel says about it, and how to live through it.
///
/// Every load and store goes through the page table. If no entry allows it, the kernel sends the
/// thread a signal: SIGSEGV, or SIGBUS if the mapping is there and the page behind it is not. By
/// default that ends the process. A handler can mend the cause and let the instruction run again
/// (`raw`), or take the thread to a landing pad that returns an error (`tour`, `truncate`); memory
/// can be made of such faults that nobody but a kernel has otherwise (`overflow`, `lazy`, `dirty`).
/// And what the signal tells it, together with the list of mappings, explains most crashes
/// (`explain`).
#[derive(Parser)]
#[command(
    name = "segv-guard",
    version,
    after_help = "\
Examples:
  segv-guard demo                   the story in a few seconds
  segv-guard raw                    protect a page, catch the signal, allow it, go on
  segv-guard tour                   every illegal access there is, each in a child
  segv-guard tour --only null-call --only overrun
  segv-guard overflow               a buffer overflow, caught at the exact byte
  segv-guard lazy                   a GiB whose pages are made when they are touched
  segv-guard dirty                  which pages were written since I looked
  segv-guard explain 8              what is at NULL plus 8, and what would happen there

Exit codes: 0 done, 1 failed, 2 wrong usage, 128+n ended by signal n (130: Ctrl-C; 139: SIGSEGV)."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Raw(raw::Raw),
    Tour(tour::Tour),
    Truncate(truncate::Truncate),
    Overflow(overflow::Overflow),
    Lazy(lazy::Lazy),
    Dirty(dirty::Dirty),
    Explain(explain::Explain),
    #[command(hide = true)]
    Commit(tour::Commit),
    #[command(hide = true)]
    TruncateReader(truncate::TruncateReader),
    #[command(hide = true)]
    OverflowWriter(overflow::OverflowWriter),
}

impl Arguments {
    /// Does what was asked for.
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Demo(command) => command.run(),
            Command::Raw(command) => command.run(),
            Command::Tour(command) => command.run(),
            Command::Truncate(command) => command.run(),
            Command::Overflow(command) => command.run(),
            Command::Lazy(command) => command.run(),
            Command::Dirty(command) => command.run(),
            Command::Explain(command) => command.run(),
            Command::Commit(command) => command.run(),
            Command::TruncateReader(command) => command.run(),
            Command::OverflowWriter(command) => command.run(),
        }
    }
}

/// What to type to run one of these commands, from any folder.
fn own(command: &str) -> String {
    cli::own(env!("CARGO_PKG_NAME"), command)
}

/// `1 access`, `2 accesses`.
fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}
