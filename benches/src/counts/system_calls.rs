//! The system calls of a piece of work: made once more in a traced child, and counted there.
//!
//! ```text
//!   the bench ── fork ──► the child: TRACEME, stops
//!       │ ◄───────────────── work … mark … what counts … mark …
//!       │  PTRACE_SYSCALL: stops at each call; counts those between two marks
//! ```
//!
//! A child and not this process: a traced process takes microseconds for each call, so what is timed
//! must not be traced. An ordinary user may trace his children; where that is refused (seccomp, or
//! somebody traces us already) the number is unknown, and the reason is told.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, alarm, fork};
use serde::{Deserialize, Serialize};

use super::names::name;
use crate::watch::{Watch, Work};

/// An option of prctl(2) that no kernel knows: it does nothing (`EINVAL`), and a tracer sees it.
const MARK: libc::c_int = 0x4d61_726b;
/// A child that takes longer hangs.
const PATIENCE: libc::c_uint = 300;

/// How many system calls a round makes, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemCalls {
    /// Every call between the marks.
    Counted(BTreeMap<String, u64>),
    /// They could not be counted, because …
    Unknown(String),
}

impl SystemCalls {
    /// All of them, if they are known.
    pub fn total(&self) -> Option<u64> {
        match self {
            SystemCalls::Counted(calls) => Some(calls.values().sum()),
            SystemCalls::Unknown(_) => None,
        }
    }
}

/// `3 (madvise 1, mmap 1, munmap 1)`, or `unknown, because …`.
impl fmt::Display for SystemCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = match self {
            SystemCalls::Counted(calls) if calls.is_empty() => return f.write_str("0"),
            SystemCalls::Counted(calls) => calls,
            SystemCalls::Unknown(why) => return write!(f, "unknown, because {why}"),
        };
        let each: Vec<_> = calls.iter().map(|(name, count)| format!("{name} {count}")).collect();
        write!(f, "{} ({})", calls.values().sum::<u64>(), each.join(", "))
    }
}

/// Says to a tracer that what counts begins, or ends, here.
pub fn mark() {
    // SAFETY: an option that does not exist; no argument is looked at.
    unsafe { libc::prctl(MARK, 0, 0, 0, 0) };
}

/// Runs one round in a traced child.
///
/// It inherits all memory, mappings and descriptors, but no thread: the bench must have one only.
pub fn system_calls(work: &mut Work<'_>) -> SystemCalls {
    // SAFETY: this process has one thread, so the child may go on as if nothing had happened. It
    // leaves by _exit, so that nothing is flushed or dropped twice.
    match unsafe { fork() } {
        Ok(ForkResult::Child) => {
            let done = catch_unwind(AssertUnwindSafe(|| traced(work)));
            // SAFETY: it never returns.
            unsafe { libc::_exit(if matches!(done, Ok(true)) { 0 } else { 1 }) }
        }
        Ok(ForkResult::Parent { child }) => match trace(child) {
            Ok(calls) => SystemCalls::Counted(calls),
            Err(why) => {
                let _ = kill(child, Signal::SIGKILL);
                let _ = waitpid(child, None);
                SystemCalls::Unknown(why)
            }
        },
        Err(errno) => SystemCalls::Unknown(format!("fork: {errno}")),
    }
}

/// In the child.
fn traced(work: &mut Work<'_>) -> bool {
    alarm::set(PATIENCE);
    // Refused, it stops all the same, and the tracer finds out at its first request.
    let _ = ptrace::traceme();
    if raise(Signal::SIGSTOP).is_err() {
        return false;
    }
    work(&mut Watch::marks(), 1);
    true
}

/// In the parent: from the first stop to the end.
fn trace(child: Pid) -> Result<BTreeMap<String, u64>, String> {
    match wait(child, libc::WUNTRACED)? {
        WaitStatus::Stopped(_, Signal::SIGSTOP) => {}
        other => return Err(format!("the traced child did not stop: {other:?}")),
    }
    // EXITKILL: nothing is left behind if this process is killed meanwhile.
    let options = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL;
    ptrace::setoptions(child, options).map_err(refused)?;
    let (mut calls, mut counting, mut pass_on) = (BTreeMap::new(), false, None);
    loop {
        ptrace::syscall(child, pass_on.take()).map_err(refused)?;
        match wait(child, 0)? {
            WaitStatus::PtraceSyscall(_) => match entered(child)? {
                Some(Entered::Mark) => counting = !counting,
                Some(Entered::Call(number)) if counting => {
                    *calls.entry(name(number)).or_default() += 1;
                }
                _ => {}
            },
            // A fault that the work's own handler is to see, say.
            WaitStatus::Stopped(_, signal) => pass_on = Some(signal),
            WaitStatus::Exited(_, 0) => break,
            WaitStatus::Signaled(_, Signal::SIGALRM, _) => {
                return Err(format!("the traced child took more than {PATIENCE} s"));
            }
            other => return Err(format!("the traced child failed: {other:?}")),
        }
    }
    // Where the clock is no vDSO's (some virtual machines), looking at it is a call. It is the
    // bench's, not the case's.
    calls.remove("clock_gettime");
    Ok(calls)
}

enum Entered {
    Mark,
    Call(u64),
}

/// The call that the child is about to make; `None` if it returns from one.
fn entered(child: Pid) -> Result<Option<Entered>, String> {
    let info = ptrace::syscall_info(child).map_err(refused)?;
    if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return Ok(None);
    }
    // SAFETY: `op` says which member of the union the kernel has filled in.
    let entry = unsafe { info.u.entry };
    let marks = entry.nr == libc::SYS_prctl.unsigned_abs()
        && entry.args[0] == u64::from(MARK.unsigned_abs());
    Ok(Some(if marks { Entered::Mark } else { Entered::Call(entry.nr) }))
}

fn wait(child: Pid, flags: libc::c_int) -> Result<WaitStatus, String> {
    let flags = nix::sys::wait::WaitPidFlag::from_bits_truncate(flags);
    loop {
        match waitpid(child, Some(flags)) {
            Err(Errno::EINTR) => {}
            other => return other.map_err(|errno| format!("waitpid: {errno}")),
        }
    }
}

fn refused(errno: Errno) -> String {
    match errno {
        Errno::ESRCH | Errno::EPERM => {
            format!("ptrace is refused here, or somebody traces this process already ({errno})")
        }
        errno => format!("ptrace: {errno}"),
    }
}
