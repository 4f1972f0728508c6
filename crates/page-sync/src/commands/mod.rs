//! The commands, one a file or folder.

mod map;
mod watch;

use clap::{Parser, Subcommand};
use ipc_common::cli::Failure;

/// Pages and msync: what is in memory, what is in the file, what is on the disk.
#[derive(Parser)]
#[command(name = "page-sync", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Map(map::Map),
    Watch(watch::Watch),
}

impl Arguments {
    /// Does what was asked for.
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Map(command) => command.run(),
            Command::Watch(command) => command.run(),
        }
    }
}
