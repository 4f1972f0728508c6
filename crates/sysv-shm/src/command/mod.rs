//! The commands, one a file.
//!
//! # Layout
//!
//! `naming`: which key is meant; `show`: users, times and processes as people read them; `demo`:
//! the play; the others are the commands of the same name.

mod demo;
mod key;
mod limits;
mod list;
mod naming;
mod read;
mod remove;
mod show;
mod status;
mod write;

use clap::{Parser, Subcommand};
use ipc_common::cli::Failure;

/// Shared memory between processes, by the System V calls shmget, shmat, shmdt and shmctl.
///
/// A segment is memory that the kernel keeps under a number, the key. Every process that knows the
/// key can attach it and read or write it like memory of its own. It outlives them all, until
/// somebody removes it. The demo passes a note: a text that ends with a NUL byte, at the start of
/// the segment, as the lecture's C program keeps it.
#[derive(Parser)]
#[command(
    name = "sysv-shm",
    version,
    after_help = "\
Two terminals:
  sysv-shm read --follow       shows each note as it is written
  sysv-shm write               each line you type becomes the note
Or alone:
  sysv-shm demo                writer and reader as two processes, with comments
  sysv-shm write hello; sysv-shm read; sysv-shm remove

Without --key and --path the key is made from a file of your own, so it is the same
from any folder, and another one for each user.

Exit codes: 0 done, 1 failed, 2 wrong usage, 128+n ended by signal n (130: Ctrl-C)."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Write(write::Write),
    Read(read::Read),
    Status(status::Status),
    Remove(remove::Remove),
    List(list::List),
    Limits(limits::Limits),
    Key(key::Key),
    Demo(demo::Demo),
    #[command(hide = true)]
    DemoCleanUp(demo::CleanUp),
}

impl Arguments {
    /// Does what was asked for.
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Write(command) => command.run(),
            Command::Read(command) => command.run(),
            Command::Status(command) => command.run(),
            Command::Remove(command) => command.run(),
            Command::List(command) => command.run(),
            Command::Limits(command) => command.run(),
            Command::Key(command) => command.run(),
            Command::Demo(command) => command.run(),
            Command::DemoCleanUp(command) => command.run(),
        }
    }
}
