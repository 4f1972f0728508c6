//! The demo: a note in a segment. Slides "Shared Memory example" and "Run demo".
//!
//! The layout is the lecture's, so that its own C programs can attach: NUL-terminated text from
//! offset 0 on, and nothing else in the segment.
//!
//! ```text
//!   segment  | h  e  l  l  o  \0  whatever was there before ...           |
//!   lock     a semaphore set with the same key (see [`crate::lock`])
//! ```
//!
//! Among our own programs a note is never torn. Foreign writers know nothing of the lock; what they
//! write is shown as it is, half written if the reader looks at the wrong moment.
//!
//! # Layout
//!
//! `writer` and `reader`; `wanted`: what a writer asks of a segment; `manage`: status and removal;
//! `own_key`: a key for each user; here: finding the lock.

mod manage;
mod own_key;
mod reader;
mod wanted;
mod writer;

pub use ipc_common::note::{Before, Reading};
pub use manage::{Removed, Status, remove, status};
pub use own_key::own_key;
pub use reader::NoteReader;
pub use wanted::Wanted;
pub use writer::NoteWriter;

use ipc_common::{Errno, Error, Key, Result};
use nix::unistd::{Uid, geteuid};

use crate::{Lock, Stat, user_name};

/// The size of the lecture's segment in bytes: `SHM_SIZE`.
pub const LECTURE_SIZE: usize = 1024;

/// The lock beside the segment that `segment` describes, if there is one.
fn find_lock(key: Key, segment: &Stat) -> Result<Option<Lock>> {
    match Lock::open(key) {
        Ok(lock) => match trusted(lock, key, segment) {
            // Removed between our two calls.
            Err(error) if gone(&error) => Ok(None),
            trusted => trusted.map(Some),
        },
        Err(error) if gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Refuses a lock that a stranger has put beside the segment: he could hold it for ever, or say
/// "whole" of what is half written. Whoever may write the segment could garble it anyway.
fn trusted(lock: Lock, key: Key, segment: &Stat) -> Result<Lock> {
    let owner = lock.owner()?;
    let known = [segment.owner, segment.creator, geteuid(), Uid::from_raw(0)].contains(&owner);
    let others_may_write = segment.mode.bits() & 0o022 != 0;
    if known || others_may_write {
        return Ok(lock);
    }
    Err(Error::refused("semget", Errno::EPERM, format!("key {key}")).with_remedy(format!(
        "the semaphore set {} with this key belongs to {}, who has no part in the segment; use another key",
        lock.semaphores().id(),
        user_name(owner)
    )))
}

/// Whether an error says that the thing is not there (any more).
fn gone(error: &Error) -> bool {
    error.is_from_kernel() && matches!(error.errno(), Errno::ENOENT | Errno::EINVAL | Errno::EIDRM)
}

/// The error for a note that was removed while it was in use.
fn removed(id: i32) -> Error {
    Error::refused("note", Errno::EIDRM, format!("segment {id}")).with_remedy(
        "the segment was marked for removal meanwhile, so nobody can find it any more; start again, and a new one is created",
    )
}
