//! Sleeping until a word in shared memory changes: futex(2).
//!
//! The kernel compares the word and goes to sleep in one step, so a change between our last look
//! and the sleep is not missed. Never with `FUTEX_PRIVATE_FLAG`: that would look for the sleeper
//! in this process only. Waiting works on read-only memory; it is found by the page, not by the
//! address.

use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use nix::errno::Errno;

use super::{ReadView, WriteView};
use crate::error::{Error, Result};

/// Why [`ReadView::wait_while`] came back. In every case, look at the memory again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Someone called [`WriteView::wake_all`], or the kernel let go without a reason, which it may.
    Called,
    /// The word had another value before we slept.
    Changed,
    /// The time was over.
    TimedOut,
    /// A signal handler ran.
    Interrupted,
}

impl ReadView<'_> {
    /// Sleeps while the `u32` at `offset` is `seen`, until somebody wakes us, for `limit` at most.
    ///
    /// Only a [`WriteView::wake_all`] at the same place wakes: a stranger who just stores does not,
    /// hence the limit.
    ///
    /// # Errors
    ///
    /// `ERANGE` and `EINVAL` for an offset that is outside or not a multiple of 4; `EFAULT` if the
    /// page has gone, `EIO` if others took its place ([`ReadView::watched`]).
    pub fn wait_while(self, offset: usize, seen: u32, limit: Duration) -> Result<Woken> {
        let word = self.aligned::<AtomicU32>("ReadView::wait_while", offset)?;
        // Of zeros that took the word's place, nobody would ever wake us.
        self.check_for("ReadView::wait_while")?;
        let limit = libc::timespec {
            tv_sec: limit.as_secs().try_into().unwrap_or(libc::time_t::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        };
        // SAFETY: the kernel reads the word, which is mapped for the view's lifetime, and the
        // time, which lives until the call returns.
        let slept = unsafe {
            libc::syscall(
                libc::SYS_futex,
                word.as_ptr(),
                libc::FUTEX_WAIT,
                seen,
                ptr::from_ref(&limit),
            )
        };
        match Errno::result(slept) {
            Ok(_) => Ok(Woken::Called),
            Err(Errno::EAGAIN) => Ok(Woken::Changed),
            Err(Errno::ETIMEDOUT) => Ok(Woken::TimedOut),
            Err(Errno::EINTR) => Ok(Woken::Interrupted),
            Err(errno) => Err(Error::new("futex", errno, format!("the word at offset {offset}"))),
        }
    }
}

impl WriteView<'_> {
    /// Wakes everyone, in any process, who sleeps on the `u32` at `offset`.
    ///
    /// # Errors
    ///
    /// `ERANGE` and `EINVAL` for an offset that is outside or not a multiple of 4; `EIO` as for
    /// [`ReadView::wait_while`].
    pub fn wake_all(self, offset: usize) -> Result<()> {
        let word = self.aligned::<AtomicU32>("WriteView::wake_all", offset)?;
        // SAFETY: FUTEX_WAKE takes the address as a name only.
        let woken =
            unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
        match Errno::result(woken) {
            Ok(_) => self.check_for("WriteView::wake_all"),
            Err(errno) => Err(Error::new("futex", errno, format!("the word at offset {offset}"))),
        }
    }
}
