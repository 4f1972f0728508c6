//! The other process: it answers as it is told, by our views or in C, and sleeps in between.
//!
//! ```text
//!   memory   | the protocol's 512 bytes | command | in C? | rounds | ready |
//! ```

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;

use ipc_common::Result;
use ipc_common::view::WriteView;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};

use super::ours::{self, LEN};
use crate::c::{Loop, Pages};

/// As much as both sides need.
pub const MEMORY: usize = 4096;

const COMMAND: usize = LEN;
const IN_C: usize = LEN + 4;
const ROUNDS: usize = LEN + 8;
const READY: usize = LEN + 64;

/// C's loops, and the memory as they take it.
#[derive(Clone, Copy)]
pub struct InC {
    pub ask: Loop,
    pub answer: Loop,
}

/// The other process, until dropped. Both are kept to a processor of their own meanwhile.
pub struct Peer<'a> {
    pid: Pid,
    view: WriteView<'a>,
    in_c: InC,
    allowed: CpuSet,
}

/// Two processors that this process may run on.
///
/// # Errors
///
/// A sentence, if there are not two.
pub fn two_processors() -> std::result::Result<(CpuSet, [CpuSet; 2]), String> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).map_err(|errno| errno.to_string())?;
    let mut each = (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu) == Ok(true)).map(|cpu| {
        let mut only = CpuSet::new();
        only.set(cpu).map(|()| only)
    });
    match (each.next(), each.next()) {
        (Some(Ok(one)), Some(Ok(other))) => Ok((allowed, [one, other])),
        _ => Err("two processes that wait for one another by looking need two processors".into()),
    }
}

impl<'a> Peer<'a> {
    /// Forks it. This process has one thread.
    pub fn start(
        view: WriteView<'a>,
        in_c: InC,
        (allowed, [here, there]): (CpuSet, [CpuSet; 2]),
    ) -> nix::Result<Peer<'a>> {
        // SAFETY: one thread, so the child may go on as if nothing had happened. It never returns.
        match unsafe { fork() }? {
            ForkResult::Child => {
                let _ = set_pdeathsig(Signal::SIGKILL);
                let _ = sched_setaffinity(Pid::from_raw(0), &there);
                let _ = serve(view, in_c);
                // SAFETY: _exit takes a number.
                unsafe { libc::_exit(1) }
            }
            ForkResult::Parent { child } => {
                let peer = Peer { pid: child, view, in_c, allowed };
                sched_setaffinity(Pid::from_raw(0), &here)?;
                Ok(peer)
            }
        }
    }

    /// Has it get ready to answer so many times.
    fn tell(&self, in_c: bool, rounds: u32) -> Result<()> {
        let view = self.view;
        ours::reset(view)?;
        view.atomic_u32(IN_C)?.store(u32::from(in_c), Relaxed);
        view.atomic_u32(ROUNDS)?.store(rounds, Relaxed);
        let number = view.atomic_u32(COMMAND)?.fetch_add(1, Release).wrapping_add(1);
        view.wake_all(COMMAND)?;
        let ready = view.atomic_u32(READY)?;
        while ready.load(Acquire) != number {
            std::thread::yield_now();
        }
        view.check()
    }

    /// Gets it ready; then `on` does so many rounds with it, by our views.
    pub fn ask(&self, rounds: u32, on: impl FnOnce(&mut dyn FnMut())) {
        self.tell(false, rounds).expect("the memory is ours");
        on(&mut || ours::ask(self.view, rounds).expect("the memory is ours"));
    }

    /// The same, in C.
    pub fn ask_in_c(&self, rounds: u32, on: impl FnOnce(&mut dyn FnMut())) {
        self.tell(true, rounds).expect("the memory is ours");
        on(&mut || {
            // SAFETY: the memory is as long as the protocol, and nobody has references to it.
            unsafe { self.in_c.ask.run(pages(self.view), rounds) };
        });
    }
}

fn pages(view: WriteView<'_>) -> Pages {
    Pages { start: view.as_ptr().cast_mut(), pages: 1, page: view.len() }
}

/// In the child, for ever.
fn serve(view: WriteView<'_>, in_c: InC) -> Result<()> {
    let mut done = 0;
    let command: &AtomicU32 = view.atomic_u32(COMMAND)?;
    loop {
        while command.load(Acquire) == done {
            view.wait_while(COMMAND, done, Duration::from_secs(1))?;
        }
        done = command.load(Acquire);
        let rounds = view.atomic_u32(ROUNDS)?.load(Relaxed);
        let c = view.atomic_u32(IN_C)?.load(Relaxed) != 0;
        view.atomic_u32(READY)?.store(done, Release);
        if c {
            // SAFETY: as in `ask_in_c`.
            unsafe { in_c.answer.run(pages(view), rounds) };
        } else {
            ours::answer(view, rounds)?;
        }
    }
}

impl Drop for Peer<'_> {
    fn drop(&mut self) {
        let _ = kill(self.pid, Signal::SIGKILL);
        let _ = waitpid(self.pid, None);
        let _ = sched_setaffinity(Pid::from_raw(0), &self.allowed);
    }
}
