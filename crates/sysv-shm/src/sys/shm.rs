//! shmget(2) and shmctl(2).

use std::mem::MaybeUninit;
use std::ptr;

use ipc_common::{Errno, Error, Key, Result};
use libc::{c_int, shmid_ds};

use super::Permissions;

/// The answer of `IPC_STAT`.
pub(crate) struct Raw {
    pub permissions: Permissions,
    pub size: usize,
    pub attached: u64,
    pub creator_pid: i32,
    pub last_pid: i32,
    pub times: [i64; 3],
}

/// shmget(2): the id of the segment with this key, which `IPC_CREAT` in `flags` may create.
pub(crate) fn get(key: Key, size: usize, flags: c_int) -> Result<i32> {
    // SAFETY: shmget takes numbers only.
    match unsafe { libc::shmget(key.raw(), size, flags) } {
        -1 => Err(Error::new("shmget", Errno::last(), about_key(key, size))),
        id => Ok(id),
    }
}

fn about_key(key: Key, size: usize) -> String {
    if size == 0 { format!("key {key}") } else { format!("key {key}, {size} bytes") }
}

/// `IPC_STAT`, which needs read permission.
pub(crate) fn stat(id: i32) -> Result<Raw> {
    let mut found = MaybeUninit::<shmid_ds>::zeroed();
    // SAFETY: the kernel writes one shmid_ds, and there is room for one.
    if unsafe { libc::shmctl(id, libc::IPC_STAT, found.as_mut_ptr()) } == -1 {
        return Err(Error::new("shmctl", Errno::last(), format!("IPC_STAT of segment {id}")));
    }
    // SAFETY: the kernel filled it; and all zeroes, from above, is a valid shmid_ds as well.
    let found = unsafe { found.assume_init() };
    Ok(Raw {
        permissions: Permissions::of(&found.shm_perm),
        size: found.shm_segsz,
        attached: found.shm_nattch,
        creator_pid: found.shm_cpid,
        last_pid: found.shm_lpid,
        times: [found.shm_atime, found.shm_dtime, found.shm_ctime],
    })
}

/// `IPC_SET`: mode, owner and group are all set, and nothing else is looked at (shmctl(2)).
pub(crate) fn set(id: i32, mode: u16, owner: (u32, u32)) -> Result<()> {
    // SAFETY: a shmid_ds is numbers only, for which zero is a value.
    let mut wanted: shmid_ds = unsafe { MaybeUninit::zeroed().assume_init() };
    wanted.shm_perm.mode = super::sized(mode);
    (wanted.shm_perm.uid, wanted.shm_perm.gid) = owner;
    // SAFETY: the kernel reads one shmid_ds, which is what `wanted` is.
    match unsafe { libc::shmctl(id, libc::IPC_SET, &raw mut wanted) } {
        -1 => Err(Error::new("shmctl", Errno::last(), format!("IPC_SET on segment {id}"))),
        _ => Ok(()),
    }
}

/// `IPC_RMID`.
pub(crate) fn remove(id: i32) -> Result<()> {
    // SAFETY: IPC_RMID uses no buffer.
    match unsafe { libc::shmctl(id, libc::IPC_RMID, ptr::null_mut()) } {
        -1 => Err(Error::new("shmctl", Errno::last(), format!("IPC_RMID of segment {id}"))),
        _ => Ok(()),
    }
}
