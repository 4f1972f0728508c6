//! A file a command: arguments in, the library called, the result printed.

mod attempt;
mod check;
mod doctor;
#[cfg(feature = "class")]
mod grade;
#[cfg(feature = "class")]
mod handout;
mod hint;
mod list;
#[cfg(feature = "class")]
mod progress;
mod reset;
mod seed;
mod show;
#[cfg(feature = "class")]
mod verify;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use grader::check::LabChecks;
use ipc_common::cli::{self, Failure};

/// The labs of the course: try them, check them, grade them.
#[derive(Parser)]
#[command(name = "lab", version)]
#[command(after_help = "\
Exit codes: 0 done, 1 failed (of `check`: a check is not passed), 2 wrong usage, 3 (of `grade`) some
have to be graded again or could not be taken, (of `verify`) no mode works here, 128 + n ended by
signal n. NO_COLOR is heeded.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Show(show::Show),
    Check(check::Check),
    Hint(hint::Hint),
    Watch(watch::Watch),
    Reset(reset::Reset),
    Doctor(doctor::Doctor),
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
            Command::List(command) => command.run(),
            Command::Show(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Hint(command) => command.run(),
            Command::Watch(command) => command.run(),
            Command::Reset(command) => command.run(),
            Command::Doctor(command) => command.run(),
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
