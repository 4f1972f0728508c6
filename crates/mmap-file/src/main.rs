//! `mmap-file`: memory-mapped files at the terminal. All it does is parse, call and print; the
//! library of the same name does the work.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ipc_common::cli::{self, Failure};

/// Memory-mapped files: a writer and a reader that meet in one, and a look behind the scenes.
#[derive(Parser)]
#[command(
    version,
    long_about = "Memory-mapped files: part of a file that appears as memory, in as many \
processes as like. What one stores, the others see at once, and the file keeps it.\n\n\
`writer` and `reader` are the lecture's Example 2, mended: the note is text up to a NUL at the \
start of the file, so the lecture's own C programs can read and write it; a lock on the file and \
a sequence behind the text see to it that no reader prints half of one note and half of another. \
Without a FILE both use your own: $XDG_STATE_HOME/ipc-course/note, or ~/.local/state/…",
    after_help = "Examples:\n  mmap-file demo                 two real processes, a note, and kill -9\n  \
mmap-file reader               in one terminal\n  \
mmap-file writer               in another: each line you type becomes the note\n  \
echo hello | mmap-file writer /tmp/$USER.note\n  \
mmap-file maps                 how this very program got into memory\n\n\
Exit codes: 0 done, 1 failed, 2 wrong usage, 128 + n ended by signal n."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Writer(commands::writer::Writer),
    Reader(commands::reader::Reader),
    Int(commands::int::Int),
    Info(commands::info::Info),
    Maps(commands::maps::Maps),
    Private(commands::private::Private),
    Demo(commands::demo::Demo),
    #[command(hide = true)]
    DemoCleanUp(commands::demo::CleanUp),
}

fn main() -> ExitCode {
    cli::run(|arguments: Arguments| -> Result<(), Failure> {
        match arguments.command {
            Command::Writer(command) => command.run(),
            Command::Reader(command) => command.run(),
            Command::Int(command) => command.run(),
            Command::Info(command) => command.run(),
            Command::Maps(command) => command.run(),
            Command::Private(command) => command.run(),
            Command::Demo(command) => command.run(),
            Command::DemoCleanUp(command) => command.run(),
        }
    })
}
