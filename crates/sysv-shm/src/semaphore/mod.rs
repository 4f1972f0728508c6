//! A System V semaphore set: counters that the kernel keeps, and that processes wait on. For the
//! slide "Mutual exclusion must be provided by processes using the shared memory".
//!
//! One call changes several semaphores of a set at once, or none. With [`Op::undo`] the kernel
//! takes a process's changes back when it ends, however it ends. That is what makes semaphores a
//! good lock: death releases it. It keeps the total of what to take back per process, so it is the
//! process that holds, not the thread; a fork does not hand it on, and exec keeps it.
//!
//! # Layout
//!
//! `create`: making a set without the window in which others find it not yet set up; `op`: what
//! can be done to it; here: the set itself.

mod create;
mod op;

pub(crate) use create::expect_count;
pub use op::Op;

use std::time::{Duration, SystemTime};

use ipc_common::{Key, Result};
use nix::unistd::Uid;

use crate::segment::moment;
use crate::{Mode, sys};

/// A set of semaphores. Nothing happens to it when this is dropped; [`SemaphoreSet::remove`] it.
///
/// ```
/// use ipc_common::{Errno, Key};
/// use std::time::Duration;
/// use sysv_shm::{Mode, Op, SemaphoreSet};
///
/// let seats = SemaphoreSet::create(Key::PRIVATE, &[2], Mode::PRIVATE)?;
/// seats.apply(&[Op::subtract(0, 1).undo()], Duration::ZERO)?;
/// seats.apply(&[Op::subtract(0, 1).undo()], Duration::ZERO)?;
/// let full = seats.apply(&[Op::subtract(0, 1).undo()], Duration::ZERO);
/// assert_eq!(full.unwrap_err().errno(), Errno::EAGAIN);
/// seats.remove()?;
/// # Ok::<(), ipc_common::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SemaphoreSet {
    id: i32,
}

/// The state of a set at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SemaphoreStat {
    /// Its id.
    pub id: i32,
    /// Its key; [`Key::PRIVATE`] if it has none.
    pub key: Key,
    /// How many semaphores it has.
    pub count: usize,
    /// Its permission bits.
    pub mode: Mode,
    /// The user it belongs to.
    pub owner: Uid,
    /// When semop last changed it; `None` if never, which is the sign that it is not set up yet.
    pub operated_at: Option<SystemTime>,
    /// When it was created, or last changed by semctl.
    pub changed_at: Option<SystemTime>,
}

impl SemaphoreSet {
    /// The set with this id, if there is one.
    pub const fn open_by_id(id: i32) -> SemaphoreSet {
        SemaphoreSet { id }
    }

    /// Its id (`semid` in `ipcs -s`).
    pub const fn id(self) -> i32 {
        self.id
    }

    /// Does all of `ops` at once, or none of them. Waits until that is possible, for `limit` at
    /// most; with [`Duration::ZERO`] it does not wait.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if the time is over; `EINTR` if a signal handler ran meanwhile (semop is never
    /// restarted, signal(7)); `EIDRM` or `EINVAL` if the set is gone; `EFBIG` if it has fewer
    /// semaphores; `ERANGE` if a value would pass 32767; `EACCES` without write permission;
    /// `E2BIG` for more operations than SEMOPM; `ENOSPC` if the kernel has no undo record left.
    pub fn apply(self, ops: &[Op], limit: Duration) -> Result<()> {
        let mut ops: Vec<libc::sembuf> = ops.iter().map(|op| op.raw()).collect();
        sys::sem::operate(self.id, &mut ops, limit)
    }

    /// The value of one semaphore.
    ///
    /// # Errors
    ///
    /// `EACCES` without read permission; `EINVAL` if there is no such semaphore or set.
    pub fn value(self, number: u16) -> Result<u16> {
        sys::sem::value(self.id, number)
    }

    /// The values of the first `count` semaphores, looked at one after the other, so they need not
    /// be of the same moment. (`GETALL` would be one look; see `sys/sem.rs` for why it is not used.)
    ///
    /// # Errors
    ///
    /// Those of [`SemaphoreSet::value`].
    pub fn values(self, count: u16) -> Result<Vec<u16>> {
        (0..count).map(|number| self.value(number)).collect()
    }

    /// Sets one semaphore, and makes the kernel forget what any process would undo on it. To repair
    /// a set by hand; where others are using it, [`SemaphoreSet::apply`] is right.
    ///
    /// # Errors
    ///
    /// `ERANGE` above 32767; `EACCES` without write permission; `EINVAL` if there is no such
    /// semaphore or set.
    pub fn set_value(self, number: u16, value: u16) -> Result<()> {
        sys::sem::set_value(self.id, number, value)
    }

    /// The process that last changed one semaphore, by semop or semctl. 0 for none, or for one
    /// that cannot be seen from this PID namespace.
    ///
    /// # Errors
    ///
    /// Those of [`SemaphoreSet::value`].
    pub fn last_pid(self, number: u16) -> Result<i32> {
        sys::sem::last_pid(self.id, number)
    }

    /// How many threads wait on one semaphore, for whatever.
    ///
    /// # Errors
    ///
    /// Those of [`SemaphoreSet::value`].
    pub fn waiting(self, number: u16) -> Result<u32> {
        let (to_grow, to_be_zero) = sys::sem::waiting(self.id, number)?;
        Ok(to_grow + to_be_zero)
    }

    /// Its state now.
    ///
    /// # Errors
    ///
    /// `EACCES` without read permission; `EINVAL` or `EIDRM` if it is gone.
    pub fn stat(self) -> Result<SemaphoreStat> {
        let raw = sys::sem::stat(self.id)?;
        Ok(SemaphoreStat {
            id: self.id,
            key: Key::from_raw(raw.permissions.key),
            count: raw.count,
            mode: Mode::from_kernel(raw.permissions.mode),
            owner: Uid::from_raw(raw.permissions.owner.0),
            operated_at: moment(raw.last_operation),
            changed_at: moment(raw.last_change),
        })
    }

    /// Removes it, at once: unlike a segment it does not wait for those who use it, whose calls
    /// end with `EIDRM`.
    ///
    /// # Errors
    ///
    /// `EPERM` for anyone but owner, creator and root; `EINVAL` or `EIDRM` if it is gone.
    pub fn remove(self) -> Result<()> {
        sys::sem::remove(self.id)
    }
}
