//! shmget without `IPC_CREAT`: what a reader does.

use ipc_common::{Errno, Error, Key, Result};

use super::{Segment, explain};
use crate::sys;

impl Segment {
    /// The segment that has this key, of whatever size and mode, whoever it belongs to.
    ///
    /// This takes no permission: what we may do shows when we try.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is none; `EINVAL` for [`Key::PRIVATE`], under which nothing is found.
    pub fn open(key: Key) -> Result<Segment> {
        refuse_private(key)?;
        Ok(Segment { id: sys::shm::get(key, 0, 0)? })
    }

    /// The segment that has this key, if it has at least `size` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`Segment::open`], and `EINVAL` if it is smaller: the remedy names its size.
    pub fn open_at_least(key: Key, size: usize) -> Result<Segment> {
        refuse_private(key)?;
        match sys::shm::get(key, size, 0) {
            Ok(id) => Ok(Segment { id }),
            Err(error) => Err(explain::shmget(error, key, size)),
        }
    }
}

fn refuse_private(key: Key) -> Result<()> {
    if !key.is_private() {
        return Ok(());
    }
    Err(Error::refused("shmget", Errno::EINVAL, format!("key {key}")).with_remedy(
        "IPC_PRIVATE always makes a new segment, and none can be found by it; open it by its id",
    ))
}
