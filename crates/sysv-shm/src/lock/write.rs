//! Taking the lock, marking the write, and giving both back in one step.

use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

use ipc_common::{Errno, Error, Result};

use super::{Before, LAPS, LARGEST, LOCK, Lock, SEQUENCE};
use crate::semaphore::Op;

/// The lock, held, and a write under way. [`Writing::finish`] it: dropped without that (by `?` or
/// a panic), it releases the lock and leaves the mark, so that nobody takes half a write for whole.
///
/// Forgotten (`mem::forget`), it holds the lock until the process ends.
#[derive(Debug)]
#[must_use = "dropped at once, it marks the write as abandoned"]
pub struct Writing {
    lock: Lock,
    before: Before,
    /// The sequence while we write: odd.
    sequence: u16,
    /// The process that acquired. A child made by fork has a copy of this value, but the lock is
    /// not its to release, nor would the kernel's undo count know of it.
    process: u32,
}

impl Lock {
    /// Waits for the lock, for `limit` at most, takes it, and marks that a write is under way.
    /// Threads of one process exclude each other as processes do; one that holds the lock and
    /// acquires it again waits for itself.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if it was held all the time (by whom says [`Lock::state`]); `EINTR` if a signal
    /// handler ran meanwhile: call again, or heed the signal; `EACCES` without write permission;
    /// `EINVAL` or `EIDRM` if the semaphores are gone; `ENOSPC` if the kernel has no undo record.
    pub fn acquire(self, limit: Duration) -> Result<Writing> {
        // Both at once, or neither: "wait until it is 0" and "make it 1".
        let take = [Op::wait_for_zero(LOCK), Op::add(LOCK, 1).undo()];
        self.set.apply(&take, limit)?;
        match self.mark() {
            Ok((before, sequence)) => {
                // No byte of the new note may be visible before the mark is. The kernel made the
                // mark on this thread's behalf, so a fence of this thread orders it.
                fence(Ordering::SeqCst);
                Ok(Writing { lock: self, before, sequence, process: std::process::id() })
            }
            Err(error) => {
                let _ = self.release(&[]);
                Err(error)
            }
        }
    }

    /// Makes the sequence odd, if a dead writer did not leave it so.
    fn mark(self) -> Result<(Before, u16)> {
        let sequence = self.set.value(SEQUENCE)?;
        if sequence % 2 == 1 {
            return Ok((Before::Abandoned, sequence));
        }
        self.set.apply(&[Op::add(SEQUENCE, 1)], Duration::ZERO)?;
        Ok((Before::Whole, sequence + 1))
    }

    /// Releases the lock, and does `more`, in one step.
    fn release(self, more: &[Op]) -> Result<()> {
        // At once: if somebody tampered with the values, this must fail and not wait.
        let ops: Vec<Op> =
            more.iter().copied().chain([Op::subtract(LOCK, 1).undo().at_once()]).collect();
        self.set.apply(&ops, Duration::ZERO)
    }
}

impl Writing {
    /// What the last writer left.
    pub fn before(&self) -> Before {
        self.before
    }

    /// Says that the write is whole, and releases the lock: one step, so that nobody can see one
    /// without the other.
    ///
    /// # Errors
    ///
    /// `EPERM` in a child that was forked meanwhile: the lock is its parent's. `EAGAIN` if somebody
    /// has tampered with the semaphores; `EINVAL` or `EIDRM` if they are gone.
    pub fn finish(mut self) -> Result<()> {
        let process = std::mem::replace(&mut self.process, 0);
        if process != std::process::id() {
            let about = format!("semaphore set {}", self.lock.set.id());
            return Err(Error::refused("Writing::finish", Errno::EPERM, about).with_remedy(format!(
                "process {process} holds this lock, and a fork does not hand it on; finish it there"
            )));
        }
        // The note is to be visible before the mark goes.
        fence(Ordering::SeqCst);
        let done = self.end().and_then(|end| self.lock.release(&end));
        if done.is_err() {
            let _ = self.lock.release(&[]);
        }
        done
    }

    /// The step from odd to even. Past SEMVMX there is nothing, so the sequence begins again at 0,
    /// and the lap counter, which does so too after 2^15 laps, tells the two zeroes apart.
    fn end(&self) -> Result<Vec<Op>> {
        if self.sequence < LARGEST {
            return Ok(vec![Op::add(SEQUENCE, 1)]);
        }
        let laps = match self.lock.set.value(LAPS)? {
            LARGEST => Op::subtract(LAPS, LARGEST),
            _ => Op::add(LAPS, 1),
        };
        Ok(vec![Op::subtract(SEQUENCE, LARGEST).at_once(), laps.at_once()])
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            // If this fails, the semaphores are gone, and the lock with them.
            let _ = self.lock.release(&[]);
        }
    }
}
