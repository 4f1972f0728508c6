//! The commands, one a file or folder.
//!
//! # Layout
//!
//! `size` rounds lengths to pages; `write` stores into one, and watches it turn dirty and clean;
//! `demo` tells the story in one go.

mod demo;
mod size;
mod write;

use clap::{Parser, Subcommand};
use ipc_common::cli::{self, Failure};

/// Pages and msync: what is in memory, what is in the file, what is on the disk.
///
/// A store into a mapped file changes a page in the kernel's page cache. From then on every process
/// sees it, whoever maps or reads the file, and it survives `kill -9` of them all. The disk knows
/// nothing of it yet: the page is dirty. msync(2) with MS_SYNC writes it there and waits; MS_ASYNC,
/// on Linux, does nothing; left alone, the kernel writes it some seconds later. What was not written
/// when the power goes is gone.
#[derive(Parser)]
#[command(name = "page-sync", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Size(size::Size),
    Write(write::Write),
    #[command(hide = true)]
    DemoWriter(demo::Writer),
    #[command(hide = true)]
    DemoReplacer(demo::Replacer),
    #[command(hide = true)]
    DemoCleanUp(demo::CleanUp),
}

impl Arguments {
    /// Does what was asked for.
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Demo(command) => command.run(),
            Command::Size(command) => command.run(),
            Command::Write(command) => command.run(),
            Command::DemoWriter(command) => command.run(),
            Command::DemoReplacer(command) => command.run(),
            Command::DemoCleanUp(command) => command.run(),
        }
    }
}

/// What to type to run one of these commands, from any folder.
fn own(command: &str) -> String {
    cli::own(env!("CARGO_PKG_NAME"), command)
}
