//! Processes that do not outlive the one that started them.

use std::os::unix::process::CommandExt;
use std::process::Command;

use ipc_common::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};

/// Has the kernel kill the process when the thread that starts it ends, however it ends
/// (PR_SET_PDEATHSIG): a process that is stopped, too.
pub(crate) fn die_with_parent(command: &mut Command) {
    let parent = Pid::this();
    let ask = move || {
        set_pdeathsig(Signal::SIGKILL)?;
        // It may have ended before we asked.
        if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed: these are prctl(2) and
    // getppid(2), and no allocation, for an error that is an errno needs none.
    unsafe { command.pre_exec(ask) };
}
