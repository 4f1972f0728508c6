//! The two processes that an experiment starts: this very program, with other arguments.

use std::ffi::OsString;

use ipc_common::{Errno, Error, Result};
use nix::sys::signal::{SigSet, Signal};

use super::action::{Action, Barriers};
use super::disk::{self, DiskKind};
use super::machine;
use super::trial::Task;

/// What a program has to call that is started by the command that
/// [`Experiment::new`](super::Experiment::new) was given, with the arguments that were added to it. It
/// is then the disk, or the machine, until it is not needed any more; it has no other threads, and
/// ends when this returns.
///
/// # Errors
///
/// `EINVAL` for arguments that no experiment gives; those of read(2) if its standard input and output
/// are not what an experiment makes them.
pub fn helper(arguments: &[OsString]) -> Result<()> {
    // A Ctrl-C goes to all processes of a terminal, and only the one that started us is to heed it:
    // it ends us in the right order.
    let deaf: SigSet =
        [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT].into_iter().collect();
    deaf.thread_block().map_err(|errno| Error::new("sigprocmask", errno, "a helper"))?;
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    match words[..] {
        ["disk", kind, name] => {
            disk::serve(DiskKind::by_name(kind).ok_or_else(|| strange(arguments))?, name.as_ref())
        }
        ["machine", action, barriers, name] => {
            let action = Action::by_name(action).ok_or_else(|| strange(arguments))?;
            let barriers = Barriers::by_option(barriers).ok_or_else(|| strange(arguments))?;
            machine::serve(&Task { action, barriers, name: name.to_owned() })
        }
        _ => Err(strange(arguments)),
    }
}

fn strange(arguments: &[OsString]) -> Error {
    Error::refused("helper", Errno::EINVAL, format!("{arguments:?}"))
        .with_remedy("this command is for `power-cut` to start, not to be typed")
}
