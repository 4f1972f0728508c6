//! The other process: forked, placed on a processor, and asleep except when it is asked.
//!
//! Between two measurements it waits in read(2), so that it neither takes time from whoever else is
//! measured nor keeps a processor awake. It dies with the bench, however that ends: the kernel sends
//! it a signal when its parent is gone (prctl(2), PR_SET_PDEATHSIG).

use std::fs::File;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use ipc_common::{Error, Result};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, raise, signal};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, getpid, getppid, pipe};

use crate::bench::stop;
use crate::placement;

/// Ends a process that answers. The pipe's hang-up may come before the signal: it is told here as if
/// it had been the signal, for a handler that has something to clean up.
pub fn end() -> ! {
    let _ = raise(Signal::SIGTERM);
    // SAFETY: it never returns.
    unsafe { libc::_exit(1) }
}

/// A process that answers.
#[derive(Debug)]
pub struct Peer {
    pid: Pid,
    orders: File,
    ready: File,
}

impl Peer {
    /// Starts it on this processor.
    ///
    /// In the child `get_ready` runs before anything else; it may close what is not the child's, and
    /// install handlers. Then `answer` is called for each order: with a function that says that it is
    /// ready, and with a number of rounds.
    ///
    /// # Errors
    ///
    /// Those of pipe(2) and fork(2).
    pub fn start(
        processor: usize,
        get_ready: impl FnOnce(),
        mut answer: impl FnMut(&dyn Fn(), u64),
    ) -> Result<Peer> {
        let pair = || pipe().map_err(|errno| Error::new("pipe", errno, "for the other process"));
        let ((orders_out, orders_in), (ready_out, ready_in)) = (pair()?, pair()?);
        let parent = getpid();
        // Who is told to end before the child has got ready waits until it has.
        let signals: SigSet =
            [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect();
        let before = signals
            .thread_swap_mask(SigmaskHow::SIG_BLOCK)
            .map_err(|errno| Error::new("sigprocmask", errno, ""))?;
        // SAFETY: a bench has one thread, so the child may go on as if nothing had happened; it leaves
        // by _exit, so that nothing is flushed or dropped twice.
        match unsafe { fork() } {
            Err(errno) => {
                let _ = before.thread_set_mask();
                Err(Error::new("fork", errno, "another process"))
            }
            Ok(ForkResult::Parent { child }) => {
                let _ = before.thread_set_mask();
                Ok(Peer { pid: child, orders: orders_in.into(), ready: ready_out.into() })
            }
            Ok(ForkResult::Child) => {
                drop((orders_in, ready_out));
                let work = AssertUnwindSafe(|| {
                    // A write to whoever has gone is an error here, not the end: there may be something
                    // to clean up.
                    // SAFETY: no handler of ours.
                    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) };
                    get_ready();
                    let dies = nix::sys::prctl::set_pdeathsig(Signal::SIGTERM);
                    let _ = before.thread_set_mask();
                    // Between the fork and that call the parent may have gone already.
                    if dies.is_err() || getppid() != parent {
                        return;
                    }
                    placement::pin(processor).unwrap_or_else(|error| stop(&error));
                    let (mut orders, ready) = (File::from(orders_out), File::from(ready_in));
                    let say = || (&ready).write_all(b"!").unwrap_or_default();
                    let mut order = [0; 8];
                    while orders.read_exact(&mut order).is_ok() {
                        answer(&say, u64::from_ne_bytes(order));
                    }
                });
                let _ = catch_unwind(work);
                end()
            }
        }
    }

    /// Tells it to answer so often, and waits until it is at it.
    pub fn order(&self, rounds: u64) {
        let ordered = (&self.orders).write_all(&rounds.to_ne_bytes());
        let ready = ordered.and_then(|()| (&self.ready).read_exact(&mut [0]));
        ready.unwrap_or_else(|error| stop(&format!("the other process has gone: {error}")));
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // To hang up would not do: later children hold the same pipe.
        let _ = kill(self.pid, Signal::SIGTERM);
        let _ = waitpid(self.pid, None);
    }
}
