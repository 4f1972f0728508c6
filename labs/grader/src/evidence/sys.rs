//! System V calls: the only unsafe ones of the evidence.

use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use ipc_common::view::WriteView;
use ipc_common::{Errno, Error, Result};

/// shmget(2).
pub(super) fn shmget(key: i32, size: usize, flags: i32) -> Result<i32> {
    // SAFETY: numbers only.
    Errno::result(unsafe { libc::shmget(key, size, flags) })
        .map_err(|errno| Error::new("shmget", errno, format!("key {key:#010x}")))
}

/// shmctl(2) with IPC_STAT.
pub(super) fn segment_stat(id: i32) -> Result<libc::shmid_ds> {
    let mut stat = MaybeUninit::zeroed();
    // SAFETY: the kernel writes one shmid_ds, for which there is room.
    Errno::result(unsafe { libc::shmctl(id, libc::IPC_STAT, stat.as_mut_ptr()) })
        .map_err(|errno| Error::new("shmctl", errno, format!("segment {id}")))?;
    // SAFETY: all zeros are a shmid_ds, and the kernel has filled it in.
    Ok(unsafe { stat.assume_init() })
}

/// shmctl(2) with IPC_RMID.
pub(super) fn remove_segment(id: i32) -> Result<()> {
    // SAFETY: IPC_RMID takes no buffer.
    Errno::result(unsafe { libc::shmctl(id, libc::IPC_RMID, ptr::null_mut()) })
        .map(drop)
        .map_err(|errno| Error::new("shmctl", errno, format!("segment {id}")))
}

/// Attaches a segment, hands it over, and detaches it. With `write` false, for looking only: what is
/// written then is refused by the kernel, as `EFAULT`.
pub(super) fn attached<T>(
    id: i32,
    len: usize,
    write: bool,
    then: impl FnOnce(WriteView<'_>) -> Result<T>,
) -> Result<T> {
    let flags = if write { 0 } else { libc::SHM_RDONLY };
    // SAFETY: at an address of the kernel's choice nothing is replaced.
    let start = unsafe { libc::shmat(id, ptr::null(), flags) };
    let Some(start) =
        NonNull::new(start.cast::<u8>()).filter(|start| start.as_ptr().addr() != usize::MAX)
    else {
        return Err(Error::last("shmat", format!("segment {id}")));
    };
    // SAFETY: the segment is attached until `shmdt` below, and `then` cannot keep the view, whose
    // lifetime ends there. `len` is its size by IPC_STAT, which never changes. Nobody in this process
    // has a reference into it. A write to one attached for reading is stopped by the view.
    let view = unsafe { WriteView::new(start, len) };
    let result = then(view);
    // SAFETY: attached above, and nothing refers to it any more.
    unsafe { libc::shmdt(start.as_ptr().cast()) };
    result
}

/// semget(2).
pub(super) fn semget(key: i32, count: i32, flags: i32) -> Result<i32> {
    // SAFETY: numbers only.
    Errno::result(unsafe { libc::semget(key, count, flags) })
        .map_err(|errno| Error::new("semget", errno, format!("key {key:#010x}")))
}

/// semctl(2) with IPC_STAT.
pub(super) fn semaphores_stat(id: i32) -> Result<libc::semid_ds> {
    let mut stat: MaybeUninit<libc::semid_ds> = MaybeUninit::zeroed();
    // SAFETY: the kernel writes one semid_ds, for which there is room; IPC_STAT takes its address.
    Errno::result(unsafe { libc::semctl(id, 0, libc::IPC_STAT, stat.as_mut_ptr()) })
        .map_err(|errno| Error::new("semctl", errno, format!("semaphore set {id}")))?;
    // SAFETY: all zeros are a semid_ds, and the kernel has filled it in.
    Ok(unsafe { stat.assume_init() })
}

/// semctl(2) with one of GETVAL, GETPID, GETNCNT, GETZCNT.
pub(super) fn semaphore_get(id: i32, index: i32, what: i32) -> Result<i32> {
    debug_assert!([libc::GETVAL, libc::GETPID, libc::GETNCNT, libc::GETZCNT].contains(&what));
    // SAFETY: these take no fourth argument.
    Errno::result(unsafe { libc::semctl(id, index, what) })
        .map_err(|errno| Error::new("semctl", errno, format!("semaphore set {id}")))
}

/// semctl(2) with IPC_RMID.
pub(super) fn remove_semaphores(id: i32) -> Result<()> {
    // SAFETY: IPC_RMID takes no fourth argument.
    Errno::result(unsafe { libc::semctl(id, 0, libc::IPC_RMID) })
        .map(drop)
        .map_err(|errno| Error::new("semctl", errno, format!("semaphore set {id}")))
}

/// msgctl(2) with IPC_RMID.
pub(super) fn remove_queue(id: i32) -> Result<()> {
    // SAFETY: IPC_RMID takes no buffer.
    Errno::result(unsafe { libc::msgctl(id, libc::IPC_RMID, ptr::null_mut()) })
        .map(drop)
        .map_err(|errno| Error::new("msgctl", errno, format!("message queue {id}")))
}
