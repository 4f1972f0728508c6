//! From arguments to an exit code: 0 done, 1 failed, 2 wrong usage, 128 + n ended by signal n.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use nix::sys::signal::{SigHandler, Signal, signal};

use super::style::{ERROR, WARNING};
use crate::error::Error;

/// Why a command ends early.
#[derive(Debug)]
pub enum Failure {
    /// A call failed; exit code 1.
    Error(Error),
    /// The arguments make no sense together; exit code 2.
    Usage(String),
    /// Standard output failed; exit code 1. A pipe whose reader has gone is no failure: exit
    /// code 0, without a word.
    Output(io::Error),
    /// A signal asked the command to end, and it has cleaned up: it now dies of that signal, so
    /// that its parent sees what happened (a shell shows 128 + the signal's number).
    Signal(i32),
    /// All there is to say has been said; exit code 1.
    Said,
    /// The same, with an exit code of the command's own, which its help names.
    Status(u8),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

/// Parses the arguments, runs the command, and turns its end into an exit code.
///
/// SIGXFSZ is ignored from here on: who grows a file beyond `ulimit -f` gets `EFBIG` then, an error
/// that can be told, and is not killed.
pub fn run<A: Parser>(command: impl FnOnce(A) -> Result<(), Failure>) -> ExitCode {
    // SAFETY: no function is installed. It cannot fail for this signal.
    let _ = unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) };
    match command(A::parse()).and_then(|()| Ok(io::stdout().flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Failure::Output(error)) => {
            complain(&format_args!("standard output: {error}"));
            ExitCode::FAILURE
        }
        Err(Failure::Error(error)) => {
            complain(&error);
            ExitCode::FAILURE
        }
        Err(Failure::Usage(reason)) => {
            complain(&reason);
            ExitCode::from(2)
        }
        Err(Failure::Signal(signal)) => {
            // Returns only if the signal's default is not to kill.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            ExitCode::FAILURE
        }
        Err(Failure::Said) => ExitCode::FAILURE,
        Err(Failure::Status(code)) => ExitCode::from(code),
    }
}

/// Standard output, with colours where they are wanted.
pub fn out() -> impl Write {
    anstream::stdout()
}

/// Says on standard error that something looks wrong, and goes on.
pub fn warn(what: &dyn fmt::Display) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(anstream::stderr(), "{WARNING}warning:{WARNING:#} {what}");
}

fn complain(what: &dyn fmt::Display) {
    let _ = writeln!(anstream::stderr(), "{ERROR}error:{ERROR:#} {what}");
}
