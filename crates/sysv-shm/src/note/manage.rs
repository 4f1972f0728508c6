//! Looking at a note from outside, and removing it.

use ipc_common::{Errno, Key, Result};

use super::gone;
use crate::{Lock, LockState, Segment, Stat};

/// What the kernel holds under a note's key.
#[derive(Debug)]
pub struct Status {
    /// The segment.
    pub segment: Stat,
    /// The lock's id and state; `None` if there is none; the error if it may not be looked at, or
    /// is another kind of set.
    pub lock: Result<Option<(i32, LockState)>>,
}

/// What the kernel holds under this key.
///
/// # Errors
///
/// `ENOENT` if there is no segment; `EACCES` if its mode keeps us out.
pub fn status(key: Key) -> Result<Status> {
    let segment = Segment::open(key)?.stat()?;
    let lock = match Lock::open(key) {
        Ok(lock) => lock.state().map(|state| Some((lock.semaphores().id(), state))),
        Err(error) if gone(&error) => Ok(None),
        Err(error) => Err(error),
    };
    Ok(Status { segment, lock })
}

/// What [`remove`] did.
#[derive(Debug)]
pub struct Removed {
    /// The segment's id; `None` if there was none.
    pub segment: Option<i32>,
    /// Its state after it was marked, if it lingers because it is attached somewhere.
    pub lingering: Option<Stat>,
    /// The id of the semaphore set; `None` if there was none.
    pub semaphores: Option<i32>,
    /// Why a semaphore set with this key was left alone: it is another kind of set, or not ours to
    /// remove.
    pub left: Option<ipc_common::Error>,
}

/// Marks the segment with this key for removal, and removes the lock beside it.
///
/// # Errors
///
/// `ENOENT` if there is neither; `EPERM` for anyone but owner, creator and root.
pub fn remove(key: Key) -> Result<Removed> {
    // Found before the segment goes: as soon as its key is free, somebody may make a new note with
    // a new lock, and that one is not ours to remove.
    let lock = Lock::open(key);
    let segment = match (Segment::open(key), &lock) {
        (Ok(segment), _) => Some(segment),
        (Err(error), Ok(_)) if gone(&error) => None,
        (Err(error), Err(_)) if error.errno() == Errno::ENOENT => {
            return Err(error.with_remedy("there is no note with this key: nothing to remove"));
        }
        (Err(error), _) => return Err(error),
    };
    let mut lingering = None;
    if let Some(segment) = segment {
        segment.mark_for_removal()?;
        // Still there, and for whom: the kernel's own answer. Gone, or ours no more to look at: not
        // an error of the removal, which has happened.
        lingering = segment.stat().ok().filter(|stat| stat.marked_for_removal);
    }
    let (semaphores, left) = match lock {
        Ok(lock) => match lock.remove() {
            Ok(()) => (Some(lock.semaphores().id()), None),
            Err(error) if gone(&error) => (None, None),
            Err(error) => (None, Some(error)),
        },
        Err(error) if gone(&error) => (None, None),
        Err(error) => (None, Some(error)),
    };
    Ok(Removed { segment: segment.map(Segment::id), lingering, semaphores, left })
}
