//! A segment: memory that the kernel keeps under a number. Slide "Shared Memory: processes request
//! the segment, the OS maintains it".
//!
//! ```text
//!   key ──shmget──► id ──shmat──► address           shmdt            IPC_RMID
//!   (agreed on)     (the kernel's  (this process's   (nattch - 1)    (gone once nattch is 0)
//!                    number)        own; nattch + 1)
//! ```
//!
//! A [`Segment`] is the middle of this: a handle by id, with no memory of its own in reach. Nothing
//! happens to the segment when it is dropped; it outlives every process until it is marked for
//! removal, its IPC namespace ends, or the machine goes down.
//!
//! # Layout
//!
//! `create` and `open` find the id; `attach` reaches the memory; `stat` asks for its state and
//! changes mode and owner; `list` shows all segments; `limits` says how many there can be;
//! `explain` turns `EINVAL` and `ENOSPC` of shmget, and every `EACCES`, into the case at hand.

mod attach;
mod create;
mod explain;
mod limits;
mod list;
mod open;
mod stat;

pub use attach::{AttachedRead, AttachedWrite, Place};
pub use create::fresh_key;
pub use limits::{Limits, SemaphoreLimits, limits};
pub use list::list;
pub use stat::Stat;
pub(crate) use stat::moment;

use ipc_common::Result;

use crate::sys;

/// A segment, by its id. Not attached.
///
/// ```
/// use ipc_common::Key;
/// use sysv_shm::{Mode, Segment};
///
/// let segment = Segment::create(Key::PRIVATE, 1024, Mode::PRIVATE)?;
/// let attached = segment.attach_write()?;
/// // Marked already, yet it stays until the last process detaches: nothing can be left behind.
/// segment.mark_for_removal()?;
///
/// attached.view().put_text(b"hello")?;
/// assert_eq!(segment.attach_read()?.view().text()?.to_string(), "hello");
/// assert_eq!(segment.stat()?.attached, 1);
/// attached.detach()?;
/// assert!(segment.stat().is_err(), "the last detach deleted it");
/// # Ok::<(), ipc_common::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    id: i32,
}

impl Segment {
    /// The segment with this id (`shmid` in `ipcs -m`), if there is one.
    ///
    /// Ids are the kernel's and may be handed from process to process. After a segment is gone,
    /// the kernel may give its number to another one, though not soon.
    pub const fn open_by_id(id: i32) -> Segment {
        Segment { id }
    }

    /// Its id.
    pub const fn id(self) -> i32 {
        self.id
    }

    /// Marks it for removal: its key is free at once, and the memory goes when the last process
    /// detaches, or now if none is attached.
    ///
    /// Until then it stays usable. Linux even lets further processes attach by id; POSIX does not
    /// promise that.
    ///
    /// # Errors
    ///
    /// `EPERM` for anyone but owner, creator and root; `EINVAL` or `EIDRM` if it is gone.
    pub fn mark_for_removal(self) -> Result<()> {
        sys::shm::remove(self.id)
    }
}
