//! Copying without the lock: look, copy, look again.

use std::sync::atomic::{Ordering, fence};
use std::thread;
use std::time::Duration;

use ipc_common::Result;

use super::{LOCK, Lock};

/// How often a reader tries before it says [`Snapshot::Busy`].
const TRIES: u32 = 50;
/// Tries that only yield; after them it sleeps.
const EAGER: u32 = 10;
/// How long it sleeps then.
const NAP: Duration = Duration::from_micros(200);

/// What a reader got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Snapshot<T> {
    /// A copy that no writer of ours touched while it was made.
    Whole {
        /// The copy.
        copy: T,
        /// Even, and larger with each write.
        sequence: u64,
    },
    /// The last writer died in the middle.
    Abandoned,
    /// Writers were at it at each try.
    Busy,
}

impl Lock {
    /// Calls `copy` until nobody wrote meanwhile, but not for ever. Takes no lock.
    ///
    /// # Errors
    ///
    /// `EACCES` without read permission on the semaphores; `EINVAL` or `EIDRM` if they are gone.
    pub fn read<T>(self, mut copy: impl FnMut() -> T) -> Result<Snapshot<T>> {
        for attempt in 0..TRIES {
            let (sequence, steady) = self.count()?;
            if steady && sequence.is_multiple_of(2) {
                let copy = in_order(&mut copy);
                if self.count()? == (sequence, true) {
                    return Ok(Snapshot::Whole { copy, sequence });
                }
            } else if steady && self.set.value(LOCK)? == 0 && self.count()? == (sequence, true) {
                // The sequence was odd before and after, so it was odd when the lock was free.
                return Ok(Snapshot::Abandoned);
            }
            if attempt < EAGER { thread::yield_now() } else { thread::sleep(NAP) }
        }
        Ok(Snapshot::Busy)
    }
}

/// Keeps the loads of `copy` between the two looks. The looks are system calls, and a system call
/// is no memory barrier: on aarch64 a load may happen after a later call has begun, or before an
/// earlier one has ended. The writer's fences in `write` are the other half.
fn in_order<T>(copy: impl FnOnce() -> T) -> T {
    fence(Ordering::SeqCst);
    let made = copy();
    fence(Ordering::SeqCst);
    made
}
