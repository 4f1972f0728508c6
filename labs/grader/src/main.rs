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
    Check(commands::check::Check),
    Verify(commands::verify::Verify),
    #[command(name = "try", hide = true)]
    Try(commands::attempt::Try),
}

fn main() -> ExitCode {
    // The cell is this program again, and no command: it talks to the grader alone.
    if std::env::args().nth(1).as_deref() == Some("cell") {
        return grader::cell::main(grader::checks::all());
    }
    cli::run(|arguments: Arguments| -> Result<(), Failure> {
        match arguments.command {
            Command::Check(command) => command.run(),
            Command::Verify(command) => command.run(),
            Command::Try(command) => command.run(),
        }
    })
}
