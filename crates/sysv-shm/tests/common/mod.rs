//! What several test files need: forked children, and a wait with an end.

#![allow(dead_code, reason = "no test file uses all of it")]

use std::panic::{self, AssertUnwindSafe};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipc_common::Key;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

/// Long enough for anything that does not hang.
pub const LONG: Duration = Duration::from_secs(30);

/// A key that nobody else has.
pub fn key() -> Key {
    Key::from_raw(testkit::key())
}

/// Removes the set with this key, whatever its size: somebody who was killed in the middle of
/// something may have left one that is no lock.
pub fn remove_set(key: Key) {
    // SAFETY: numbers only.
    unsafe { libc::semctl(libc::semget(key.raw(), 0, 0), 0, libc::IPC_RMID) };
}

/// A forked child, killed and reaped on drop.
pub struct Child {
    pid: Pid,
    reaped: bool,
}

/// Runs `work` in a forked child, which ends with 0, or with 101 if `work` panics.
pub fn child(work: impl FnOnce()) -> Child {
    // SAFETY: testkit runs each case in a process of its own, on its only thread, and no case
    // forks while threads of its own run; so no lock can be held in the child for ever.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Parent { child: pid } => Child { pid, reaped: false },
        ForkResult::Child => {
            let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
            let done = panic::catch_unwind(AssertUnwindSafe(work));
            // SAFETY: _exit ends the process. The parent's buffers and destructors are the parent's.
            unsafe { libc::_exit(if done.is_ok() { 0 } else { 101 }) }
        }
    }
}

impl Child {
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid, signal).expect("it is our child");
    }

    /// Waits for its end.
    pub fn join(mut self) -> WaitStatus {
        self.reaped = true;
        waitpid(self.pid, None).expect("it is our child")
    }

    /// Waits for its end, which has to be a good one.
    pub fn succeed(self) {
        let pid = self.pid;
        assert_eq!(
            self.join(),
            WaitStatus::Exited(pid, 0),
            "a child failed; what it said is above"
        );
    }

    /// `kill -9`, and waits for its end.
    pub fn kill_9(self) {
        let pid = self.pid;
        self.signal(Signal::SIGKILL);
        assert_eq!(self.join(), WaitStatus::Signaled(pid, Signal::SIGKILL, false));
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = kill(self.pid, Signal::SIGKILL);
            let _ = waitpid(self.pid, None);
        }
    }
}

/// Waits until `holds` does; fails if it never does.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LONG, "never: {what}");
        sleep(Duration::from_micros(200));
    }
}

/// Whether a process is stopped or asleep, by the letter in /proc/PID/stat.
pub fn sleeps(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    matches!(state, Some('S' | 'T'))
}
