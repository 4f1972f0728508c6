//! A file a command: arguments in, the library called, the result printed.

mod attempt;
mod check;
#[cfg(feature = "class")]
mod grade;
#[cfg(feature = "class")]
mod handout;
#[cfg(feature = "class")]
mod progress;
#[cfg(feature = "class")]
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use grader::check::LabChecks;
use ipc_common::cli::{self, Failure};

/// The labs of the course: try them, check them, grade them.
#[derive(Parser)]
#[command(name = "lab", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    #[cfg(feature = "class")]
    Grade(grade::Grade),
    #[cfg(feature = "class")]
    Handout(handout::Handout),
    #[cfg(feature = "class")]
    Verify(verify::Verify),
    #[command(name = "try", hide = true)]
    Try(attempt::Try),
}

/// The whole program, with the checks that its cells know.
pub fn main(checks: &[LabChecks]) -> ExitCode {
    // The cell is this program again, and no command: it talks to the grader alone.
    if std::env::args().nth(1).as_deref() == Some("cell") {
        return grader::cell::main(checks);
    }
    cli::run(|arguments: Arguments| -> Result<(), Failure> {
        match arguments.command {
            Command::Check(command) => command.run(),
            #[cfg(feature = "class")]
            Command::Grade(command) => command.run(),
            #[cfg(feature = "class")]
            Command::Handout(command) => command.run(),
            #[cfg(feature = "class")]
            Command::Verify(command) => command.run(),
            Command::Try(command) => command.run(),
        }
    })
}
