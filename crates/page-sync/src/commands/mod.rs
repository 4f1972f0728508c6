//! The commands, one a file or folder.
//!
//! # Layout
//!
//! `size` rounds lengths to pages.

mod size;

use clap::{Parser, Subcommand};
use ipc_common::cli::Failure;

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
    Size(size::Size),
}

impl Arguments {
    /// Does what was asked for.
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Size(command) => command.run(),
        }
    }
}
