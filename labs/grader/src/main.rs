//! `lab`: the grader at the terminal.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ipc_common::cli::{self, Failure};

/// The labs of the course: try them, check them, grade them.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(name = "try", hide = true)]
    Try(commands::attempt::Try),
}

fn main() -> ExitCode {
    cli::run(|arguments: Arguments| -> Result<(), Failure> {
        match arguments.command {
            Command::Try(command) => command.run(),
        }
    })
}
