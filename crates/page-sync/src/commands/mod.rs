//! The commands, one a file or folder.
//!
//! # Layout
//!
//! `size` rounds lengths to pages; `write` stores into one, and watches it turn dirty and clean;
//! `map` shows a file's pages as a picture, `watch` the picture live; `power_cut` cuts the power of
//! a disk; `demo` tells the story in one go.

mod demo;
mod map;
mod power_cut;
mod size;
mod watch;
mod write;

use clap::{Parser, Subcommand};
use ipc_common::cli::{self, Failure};

/// Pages and msync: what is in memory, what is in the file, what is on the disk.
///
/// A store into a mapped file changes a page in the kernel's page cache. From then on every process
/// sees it, whoever maps or reads the file, and it survives `kill -9` of them all. The disk knows
/// nothing of it yet: the page is dirty. msync(2) with MS_SYNC writes it there and waits; MS_ASYNC,
/// on Linux, does nothing; left alone, the kernel writes it some seconds later. What was not
/// written when the power goes is gone.
#[derive(Parser)]
#[command(
    name = "page-sync",
    version,
    after_help = "\
Examples:
  page-sync demo                        the story in a few seconds
  page-sync size 5000                   how many pages that is, and what is left over
  page-sync write \"This is a test\"      store, msync: dirty, then clean
  page-sync write hello --async         MS_ASYNC: dirty, and dirty still
  page-sync map FILE                    a picture of the file's pages
  page-sync watch FILE                  the picture live, while another terminal writes
  sudo page-sync power-cut              what survives when the power goes

Exit codes: 0 done, 1 failed, 2 wrong usage, 128+n ended by signal n (130: Ctrl-C)."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Size(size::Size),
    Write(write::Write),
    Map(map::Map),
    Watch(watch::Watch),
    PowerCut(power_cut::PowerCut),
    #[command(hide = true)]
    DemoWriter(demo::Writer),
    #[command(hide = true)]
    DemoReplacer(demo::Replacer),
    #[command(hide = true)]
    DemoCleanUp(demo::CleanUp),
    #[command(hide = true)]
    PowerCutHelper(power_cut::Helper),
}

impl Arguments {
    /// Does what was asked for.
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Demo(command) => command.run(),
            Command::Size(command) => command.run(),
            Command::Write(command) => command.run(),
            Command::Map(command) => command.run(),
            Command::Watch(command) => command.run(),
            Command::PowerCut(command) => command.run(),
            Command::DemoWriter(command) => command.run(),
            Command::DemoReplacer(command) => command.run(),
            Command::DemoCleanUp(command) => command.run(),
            Command::PowerCutHelper(command) => command.run(),
        }
    }
}

/// What to type to run one of these commands, from any folder.
fn own(command: &str) -> String {
    cli::own(env!("CARGO_PKG_NAME"), command)
}
