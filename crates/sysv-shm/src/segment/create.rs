//! shmget with `IPC_CREAT`. Slide "Create shared memory segment".
//!
//! The lecture's `shmget(key, size, 0644 | IPC_CREAT)` takes whatever has the key: a stranger's
//! segment, of another size, with another mode, and does not tell. `IPC_EXCL` makes it tell.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use ipc_common::{Errno, Error, Key, Result};

use super::{Segment, Stat, explain};
use crate::{Mode, Opened, sys};

/// How often open-or-create begins again, when others remove and create at the same time.
const ROUNDS: usize = 64;

impl Segment {
    /// Creates a segment of `size` bytes, all zero, with this key and mode; never opens one that
    /// is there. With [`Key::PRIVATE`] it has no key: others need its id.
    ///
    /// The memory is reserved in full, but filled a page at a time as it is touched.
    ///
    /// # Errors
    ///
    /// `EEXIST` if the key is in use; `EINVAL` for size 0 and above SHMMAX; `ENOSPC` at SHMMNI or
    /// SHMALL; `ENOMEM` if the kernel cannot reserve that much.
    pub fn create(key: Key, size: usize, mode: Mode) -> Result<Segment> {
        // Under IPC_EXCL an existing segment would hide it, and size 0 is wrong in any case.
        if size == 0 {
            let empty = Error::refused("shmget", Errno::EINVAL, format!("key {key}, 0 bytes"));
            return Err(explain::shmget(empty, key, size));
        }
        let flags = libc::IPC_CREAT | libc::IPC_EXCL | mode.flags();
        match sys::shm::get(key, size, flags) {
            Ok(id) => Ok(Segment { id }),
            Err(error) => Err(explain::shmget(error, key, size)),
        }
    }

    /// Creates a segment under a key that nobody uses, drawn at random: for demos, which must
    /// never meet somebody else's segment.
    ///
    /// # Errors
    ///
    /// Those of [`Segment::create`].
    pub fn create_under_fresh_key(size: usize, mode: Mode) -> Result<(Key, Segment)> {
        loop {
            let key = fresh_key();
            match Segment::create(key, size, mode) {
                Err(error) if error.errno() == Errno::EEXIST => {}
                created => return created.map(|segment| (key, segment)),
            }
        }
    }

    /// Opens the segment with this key if it has exactly this size and mode, creates it if it is
    /// missing, and says which.
    ///
    /// # Errors
    ///
    /// `EEXIST` if what is there has another size or mode (the error names both), and those of
    /// [`Segment::create`] and [`Segment::open`].
    pub fn open_or_create(key: Key, size: usize, mode: Mode) -> Result<Opened<Segment>> {
        Segment::open_or_create_if(key, size, mode, |found| {
            found.expect_size(size)?;
            found.expect_mode(mode)
        })
    }

    /// Opens the segment with this key if `acceptable` has no objection to it, creates it if it is
    /// missing, and says which.
    ///
    /// # Errors
    ///
    /// What `acceptable` returned, and those of [`Segment::create`] and [`Segment::open`];
    /// `EAGAIN` if others kept on creating and removing it between our looks.
    pub fn open_or_create_if(
        key: Key,
        size: usize,
        mode: Mode,
        mut acceptable: impl FnMut(&Stat) -> Result<()>,
    ) -> Result<Opened<Segment>> {
        for _ in 0..ROUNDS {
            match Segment::create(key, size, mode) {
                Err(error) if error.errno() == Errno::EEXIST => {}
                created => return created.map(Opened::Created),
            }
            let found = match Segment::open(key) {
                Err(error) if has_gone(&error) => continue,
                found => found?,
            };
            let stat = match found.stat() {
                Err(error) if has_gone(&error) => continue,
                stat => stat?,
            };
            // Marked between our two looks: its key is free again.
            if stat.marked_for_removal {
                continue;
            }
            acceptable(&stat)?;
            return Ok(Opened::Existing(found));
        }
        Err(Error::refused("shmget", Errno::EAGAIN, format!("key {key}")).with_remedy(
            "others create and remove this segment all the time; stop them, or use another key",
        ))
    }
}

/// Between shmget and the next call anyone may remove the segment. These are the normal answers.
fn has_gone(error: &Error) -> bool {
    matches!(error.errno(), Errno::ENOENT | Errno::EIDRM | Errno::EINVAL)
}

/// A random number that is not `IPC_PRIVATE`. Whether it is free only `IPC_EXCL` can say.
pub fn fresh_key() -> Key {
    loop {
        // The standard library seeds each of these from the kernel.
        let random = RandomState::new().hash_one(std::process::id());
        let key = Key::from_raw((random >> 32) as u32 as i32);
        if !key.is_private() {
            return key;
        }
    }
}
