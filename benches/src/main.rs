//! `benches report`: what the benches have found, to show to a class. All it does is parse, run what
//! is missing, and write files; `benches::report` makes what is in them.

mod command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ipc_common::cli::{self, Failure};

/// The course's benches: what they have found.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  benches report --quick         measure what is missing, in some minutes, and show it\n  \
benches report --no-run        show what there is\n  \
benches report --notes         also renew the plots and the table of the notes' chapter\n\n\
The benches themselves are run by `cargo bench -p benches`.\n\n\
Exit codes: 0 done, 1 failed, 2 wrong usage, 128 + n ended by signal n."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Report(command::report::Report),
}

fn main() -> ExitCode {
    cli::run(|arguments: Arguments| -> Result<(), Failure> {
        match arguments.command {
            Command::Report(command) => command.run(),
        }
    })
}
