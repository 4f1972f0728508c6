//! The commands, one a file or folder.

mod power_cut;

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
    PowerCut(power_cut::PowerCut),
    #[command(hide = true)]
    PowerCutDisk(power_cut::Disk),
}

impl Arguments {
    /// Does what was asked for.
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::PowerCut(command) => command.run(),
            Command::PowerCutDisk(command) => command.run(),
        }
    }
}
