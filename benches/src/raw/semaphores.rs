//! Two System V semaphores that do not outlive their users.
//!
//! A segment can be marked for removal while it is in use; a semaphore set cannot: removed, it is
//! gone at once. So whoever ends last removes it, and that is the answering process: it is told when
//! its parent ends, however that ends, and has a handler for it. (Only kill -9 of *both*, or of the
//! one in the moment before the other is there, leaves a set behind; `ipcrm -s` removes it.)

use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::Relaxed;

use ipc_common::{Errno, Error, Result};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{Pid, getpid};

use crate::bench::stop;

/// What the handler removes.
static SET: AtomicI32 = AtomicI32::new(-1);

const PATIENCE: libc::timespec = libc::timespec { tv_sec: 60, tv_nsec: 0 };

/// Two semaphores, both 0 at first.
#[derive(Debug)]
pub struct Semaphores {
    id: i32,
    maker: Pid,
}

impl Semaphores {
    /// Without a key: only this process and its children know them.
    ///
    /// # Errors
    ///
    /// Those of semget(2).
    pub fn new() -> Result<Semaphores> {
        // SAFETY: numbers only. Linux makes new semaphores 0.
        let id = unsafe { libc::semget(libc::IPC_PRIVATE, 2, libc::IPC_CREAT | 0o600) };
        if id < 0 {
            return Err(Error::last("semget", "two semaphores"));
        }
        Ok(Semaphores { id, maker: getpid() })
    }

    /// In the process that ends last, and before it does anything else: from now on SIGTERM, which is what the kernel sends when our parent has gone, removes the set
    /// and ends this process. Ctrl-C is for the parent.
    pub fn remove_when_told(&self) {
        SET.store(self.id, Relaxed);
        let act = |handler| SigAction::new(handler, SaFlags::empty(), SigSet::empty());
        let end = act(SigHandler::Handler(remove_and_end));
        for (signal, action) in [
            (Signal::SIGTERM, &end),
            (Signal::SIGINT, &act(SigHandler::SigIgn)),
            (Signal::SIGHUP, &act(SigHandler::SigIgn)),
        ] {
            // SAFETY: the handler makes two system calls, which are async-signal-safe.
            if let Err(errno) = unsafe { sigaction(signal, action) } {
                stop(&Error::new("sigaction", errno, signal.as_str()));
            }
        }
    }

    /// Raises one of the two (`by` 1), or waits until it can be lowered (`by` -1). Ends the bench if
    /// that takes a minute.
    #[inline]
    pub fn change(&self, which: u16, by: i16) {
        let mut op = libc::sembuf { sem_num: which, sem_op: by, sem_flg: 0 };
        loop {
            let (op, limit): (*mut libc::sembuf, *const libc::timespec) = (&mut op, &PATIENCE);
            // SAFETY: one operation, and a time that is a constant. (The libc crate has the call's
            // number only.)
            if unsafe { libc::syscall(libc::SYS_semtimedop, self.id, op, 1_usize, limit) } == 0 {
                return;
            }
            match Errno::last() {
                Errno::EINTR => {}
                Errno::EAGAIN => stop(&"the other process does not answer"),
                errno => stop(&Error::new("semtimedop", errno, "one of two semaphores")),
            }
        }
    }
}

extern "C" fn remove_and_end(_: i32) {
    // SAFETY: IPC_RMID takes no fourth argument; _exit never returns. Both may be called here.
    unsafe {
        libc::semctl(SET.load(Relaxed), 0, libc::IPC_RMID);
        libc::_exit(0);
    }
}

impl Drop for Semaphores {
    fn drop(&mut self) {
        if getpid() == self.maker {
            // SAFETY: IPC_RMID takes no fourth argument. If the other was faster: EINVAL, and gone.
            unsafe { libc::semctl(self.id, 0, libc::IPC_RMID) };
        }
    }
}
