//! The lock beside a segment, and the mark "a write is under way". Slide "Mutual exclusion must be
//! provided by processes using the shared memory", which no program of the lecture does.
//!
//! A set of three semaphores with the key of the segment, so that nothing written into the segment
//! can harm the lock:
//!
//! ```text
//!   [0] lock      0 free, 1 held          taken back by the kernel when the holder dies
//!   [1] sequence  even: the note is whole   stays as it is when the writer dies
//!                 odd:  a write is under way
//!   [2] laps      how often [1] came round to 0 again: it can only count to 32767 (SEMVMX)
//!
//!            begin                        end
//!   lock     0 → 1 ────────────────────── 1 → 0
//!   sequence       4 → 5  ...write...  5 → 6
//! ```
//!
//! **Dead writers.** The kernel releases the lock (`SEM_UNDO`) and leaves the sequence odd. "Free
//! and odd" therefore means that the last writer died in the middle: readers get
//! [`Snapshot::Abandoned`], the next writer [`Before::Abandoned`].
//!
//! **Readers take no lock.** They look at the sequence, copy, and look again. So they need read
//! permission only, and a reader that is stopped cannot hold up a writer.
//!
//! **No window at creation.** All zero, as the Linux kernel creates semaphores (semget(2); POSIX
//! leaves it open), *is* "free, and nothing written yet". There is nothing to set up, and so
//! nothing to be seen half set up.
//!
//! # Layout
//!
//! `write`: taking the lock and releasing it; `read`: copying without it; here: finding the set.

mod read;
mod write;

pub use ipc_common::note::Before;
pub use read::Snapshot;
pub use write::Writing;

use ipc_common::{Errno, Error, Key, Result};
use nix::unistd::Uid;

use crate::semaphore::{SemaphoreSet, expect_count};
use crate::{Mode, sys};

/// Semaphore numbers.
const LOCK: u16 = 0;
const SEQUENCE: u16 = 1;
const LAPS: u16 = 2;
const COUNT: usize = 3;

/// SEMVMX, the largest value of a semaphore. Odd, so the sequence uses all values up to it.
const LARGEST: u16 = 32767;

/// The lock beside a segment. Nothing happens to it when this is dropped.
///
/// ```
/// use std::time::Duration;
/// use sysv_shm::{Before, Lock, Mode, Snapshot};
///
/// let lock = Lock::private(Mode::PRIVATE)?;
/// let writing = lock.acquire(Duration::from_secs(1))?;
/// assert_eq!(writing.before(), Before::Whole);
/// // ... write here ...
/// writing.finish()?;
/// assert_eq!(lock.read(|| "a copy")?, Snapshot::Whole { copy: "a copy", sequence: 2 });
/// lock.remove()?;
/// # Ok::<(), ipc_common::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lock {
    set: SemaphoreSet,
}

/// The state of a lock, its parts looked at one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockState {
    /// Whether somebody holds it.
    pub held: bool,
    /// The process that last acquired or released it; 0 for none yet.
    pub last_pid: i32,
    /// Even: what it guards is whole. Odd: a write is under way, or was when its writer died.
    pub sequence: u64,
    /// How many threads wait for it.
    pub waiting: u32,
}

impl Lock {
    /// The lock with this key; it is created if it is missing.
    ///
    /// # Errors
    ///
    /// `EEXIST` if a set of another size has the key; `EACCES` if its mode keeps us out; `ENOSPC`
    /// at SEMMNI or SEMMNS; `EINVAL` for [`Key::PRIVATE`].
    pub fn beside(key: Key, mode: Mode) -> Result<Lock> {
        if key.is_private() {
            return Err(Error::refused("semget", Errno::EINVAL, format!("key {key}")).with_remedy(
                "nobody could find a lock under IPC_PRIVATE; make one with Lock::private, and hand on its id",
            ));
        }
        match sys::sem::get(key, COUNT, libc::IPC_CREAT | mode.flags()) {
            Ok(id) => Lock::checked(key, id),
            // A smaller set has the key: the same "not one of ours" as a larger one.
            Err(error) => match Lock::open(key) {
                Err(other) if other.errno() == Errno::EEXIST => Err(other),
                _ => Err(error),
            },
        }
    }

    /// The lock with this key.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is none, and those of [`Lock::beside`].
    pub fn open(key: Key) -> Result<Lock> {
        Lock::checked(key, sys::sem::get(key, 0, 0)?)
    }

    /// A new lock without a key: others need its id.
    ///
    /// # Errors
    ///
    /// `ENOSPC` at SEMMNI or SEMMNS.
    pub fn private(mode: Mode) -> Result<Lock> {
        let id = sys::sem::get(Key::PRIVATE, COUNT, libc::IPC_CREAT | mode.flags())?;
        Ok(Lock { set: SemaphoreSet::open_by_id(id) })
    }

    fn checked(key: Key, id: i32) -> Result<Lock> {
        let set = SemaphoreSet::open_by_id(id);
        expect_count(key, set.stat()?.count, COUNT)?;
        Ok(Lock { set })
    }

    /// The set of semaphores that it is made of.
    pub fn semaphores(self) -> SemaphoreSet {
        self.set
    }

    /// The user to whom the semaphores belong.
    ///
    /// # Errors
    ///
    /// Those of [`SemaphoreSet::stat`].
    pub fn owner(self) -> Result<Uid> {
        Ok(self.set.stat()?.owner)
    }

    /// Its state now.
    ///
    /// # Errors
    ///
    /// `EACCES` without read permission; `EINVAL` or `EIDRM` if it is gone.
    pub fn state(self) -> Result<LockState> {
        Ok(LockState {
            held: self.set.value(LOCK)? != 0,
            last_pid: self.set.last_pid(LOCK)?,
            sequence: self.count()?.0,
            waiting: self.set.waiting(LOCK)?,
        })
    }

    /// Removes it, at once: who waits for it or holds it gets `EIDRM` or `EINVAL`.
    ///
    /// # Errors
    ///
    /// `EPERM` for anyone but owner, creator and root; `EINVAL` or `EIDRM` if it is gone.
    pub fn remove(self) -> Result<()> {
        self.set.remove()
    }

    /// The sequence with its laps, and whether both are of one moment: if so, the laps did not
    /// change while we looked at the rest.
    fn count(self) -> Result<(u64, bool)> {
        let before = self.set.value(LAPS)?;
        let sequence = self.set.value(SEQUENCE)?;
        let after = self.set.value(LAPS)?;
        Ok((u64::from(after) * (u64::from(LARGEST) + 1) + u64::from(sequence), before == after))
    }
}
