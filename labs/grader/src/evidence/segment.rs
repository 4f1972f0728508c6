//! A System V segment, as the kernel shows it to anybody who has its key.

use ipc_common::{Errno, Error, Key, Result};

use super::sys;
use crate::sandbox::Identity;

/// A segment that was found by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    id: i32,
    size: usize,
    identity: Identity,
}

/// What IPC_STAT says about it (shmctl(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentStat {
    /// Bytes, as asked for when it was created.
    pub size: usize,
    /// The permission bits: `0o600`.
    pub mode: u32,
    /// Whether it is marked for removal on the last detach.
    pub marked: bool,
    /// How many have it attached.
    pub attached: u64,
    /// Who created it. Through a pid namespace: 0 if it is not visible here.
    pub creator: i32,
    /// Who attached or detached it last.
    pub last: i32,
    /// The owner's user id.
    pub owner: u32,
}

impl Segment {
    /// The segment with a key; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Those of shmget(2) but ENOENT. `EACCES`: it is there, and its mode lets nobody look.
    pub fn find(key: Key, identity: Identity) -> Result<Option<Segment>> {
        let found = identity.does(|| {
            let id = sys::shmget(key.raw(), 0, 0)?;
            Ok(Segment { id, size: sys::segment_stat(id)?.shm_segsz, identity })
        });
        match found {
            Ok(segment) => Ok(Some(segment)),
            // EIDRM: it went between the two calls.
            Err(error) if matches!(error.errno(), Errno::ENOENT | Errno::EIDRM) => Ok(None),
            // EINVAL of IPC_STAT: likewise, and its number is free again.
            Err(error) if error.call() == "shmctl" && error.errno() == Errno::EINVAL => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a segment as a stranger would, before the student's program comes: of another size or
    /// mode, or with something in it.
    ///
    /// # Errors
    ///
    /// Those of shmget(2).
    pub fn create(key: Key, size: usize, mode: u32, identity: Identity) -> Result<Segment> {
        let mode = i32::try_from(mode & 0o777).unwrap_or(0o600);
        let flags = libc::IPC_CREAT | libc::IPC_EXCL | mode;
        let id = identity.does(|| sys::shmget(key.raw(), size, flags))?;
        Ok(Segment { id, size, identity })
    }

    /// Its number. A segment that was removed and made again has another one.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// What the kernel says about it; `None` if it has gone.
    ///
    /// # Errors
    ///
    /// Those of shmctl(2) but EINVAL and EIDRM.
    pub fn stat(&self) -> Result<Option<SegmentStat>> {
        match self.identity.does(|| sys::segment_stat(self.id)) {
            Ok(stat) => Ok(Some(told(&stat))),
            Err(error) if matches!(error.errno(), Errno::EINVAL | Errno::EIDRM) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A copy of all its bytes, made now. Others may be writing meanwhile: of a word that changes
    /// either value may be in it.
    ///
    /// # Errors
    ///
    /// Those of shmat(2).
    pub fn copy(&self) -> Result<Vec<u8>> {
        self.copy_of(0, self.size)
    }

    /// A copy of some of its bytes.
    ///
    /// # Errors
    ///
    /// Those of shmat(2), and `ERANGE` for a place outside.
    pub fn copy_of(&self, offset: usize, len: usize) -> Result<Vec<u8>> {
        let look = || {
            sys::attached(self.id, self.size, false, |view| view.as_read().read_vec(offset, len))
        };
        self.identity.does(look)
    }

    /// The 32-bit word at an offset, in this machine's byte order.
    ///
    /// # Errors
    ///
    /// As for [`Segment::copy_of`].
    pub fn word(&self, offset: usize) -> Result<u32> {
        let bytes = self.copy_of(offset, 4)?;
        bytes
            .try_into()
            .map(u32::from_ne_bytes)
            .map_err(|_| Error::refused("Segment::word", Errno::ERANGE, format!("offset {offset}")))
    }

    /// Writes bytes, as a stranger would.
    ///
    /// # Errors
    ///
    /// Those of shmat(2), and `ERANGE` for a place outside.
    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        let write = || sys::attached(self.id, self.size, true, |view| view.write(offset, bytes));
        self.identity.does(write)
    }

    /// Marks it for removal.
    ///
    /// # Errors
    ///
    /// Those of shmctl(2).
    pub fn remove(self) -> Result<()> {
        self.identity.does(|| sys::remove_segment(self.id))
    }
}

fn told(stat: &libc::shmid_ds) -> SegmentStat {
    // The C library keeps the kernel's flag SHM_DEST among the permission bits.
    const SHM_DEST: u32 = 0o1000;
    let bits = u32::from(stat.shm_perm.mode);
    SegmentStat {
        size: stat.shm_segsz,
        mode: bits & 0o777,
        marked: bits & SHM_DEST != 0,
        attached: stat.shm_nattch,
        creator: stat.shm_cpid,
        last: stat.shm_lpid,
        owner: stat.shm_perm.uid,
    }
}
