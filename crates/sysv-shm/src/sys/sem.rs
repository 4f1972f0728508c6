//! semget(2), semop(2) and semctl(2).
//!
//! `GETALL` is missing on purpose. The kernel writes as many values as the set has at that moment;
//! if its owner has removed it and made a larger one that got the same id, that is more than our
//! buffer holds. `GETVAL` returns its value and needs no buffer, so nothing can overflow.

use std::mem::MaybeUninit;
use std::time::Duration;

use ipc_common::{Errno, Error, Key, Result};
use libc::{c_int, c_ulong, sembuf, size_t, time_t, timespec};

use super::Permissions;

/// What semctl(2) calls `struct semid_ds`; libc does not declare it.
#[repr(C)]
struct SemidDs {
    permissions: libc::ipc_perm,
    last_operation: time_t,
    #[cfg(target_arch = "x86_64")]
    reserved_1: c_ulong,
    last_change: time_t,
    #[cfg(target_arch = "x86_64")]
    reserved_2: c_ulong,
    count: c_ulong,
    reserved: [c_ulong; 2],
}

/// The fourth argument of semctl(2), which the caller has to declare.
#[repr(C)]
union Argument {
    value: c_int,
    stat: *mut SemidDs,
}

unsafe extern "C" {
    // Linux's own addition to semop(2), in both glibc and musl; libc does not declare it.
    fn semtimedop(id: c_int, ops: *mut sembuf, count: size_t, limit: *const timespec) -> c_int;
}

/// The answer of `IPC_STAT`.
pub(crate) struct Raw {
    pub permissions: Permissions,
    pub last_operation: i64,
    pub last_change: i64,
    pub count: usize,
}

/// semget(2): the id of the set with this key, which `IPC_CREAT` in `flags` may create.
pub(crate) fn get(key: Key, count: usize, flags: c_int) -> Result<i32> {
    let about = || format!("key {key}, {count} semaphores");
    let wanted = c_int::try_from(count).unwrap_or(c_int::MAX);
    // SAFETY: semget takes numbers only.
    match unsafe { libc::semget(key.raw(), wanted, flags) } {
        -1 => Err(Error::new("semget", Errno::last(), about())),
        id => Ok(id),
    }
}

/// semtimedop(2): all of `ops` at once, or none; waits for that no longer than `limit`.
pub(crate) fn operate(id: i32, ops: &mut [sembuf], limit: Duration) -> Result<()> {
    let limit = timespec {
        tv_sec: limit.as_secs().try_into().unwrap_or(time_t::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    };
    // SAFETY: the kernel reads `ops.len()` operations and one timespec, all alive until it returns.
    match unsafe { semtimedop(id, ops.as_mut_ptr(), ops.len(), &raw const limit) } {
        -1 => Err(Error::new("semop", Errno::last(), format!("semaphore set {id}"))),
        _ => Ok(()),
    }
}

/// `GETVAL`: the value of one semaphore, which needs read permission.
pub(crate) fn value(id: i32, number: u16) -> Result<u16> {
    let value = ask(id, number, libc::GETVAL, "GETVAL")?;
    // SEMVMX is 32767, so this loses nothing.
    Ok(u16::try_from(value).unwrap_or(u16::MAX))
}

/// `GETPID`: the last process that operated on one semaphore; 0 if it is in no namespace of ours.
pub(crate) fn last_pid(id: i32, number: u16) -> Result<i32> {
    ask(id, number, libc::GETPID, "GETPID")
}

/// `GETNCNT` and `GETZCNT`: how many threads wait for the value to grow, and to become 0.
pub(crate) fn waiting(id: i32, number: u16) -> Result<(u32, u32)> {
    let count = |command, name| Ok(ask(id, number, command, name)?.unsigned_abs());
    Ok((count(libc::GETNCNT, "GETNCNT")?, count(libc::GETZCNT, "GETZCNT")?))
}

fn ask(id: i32, number: u16, command: c_int, name: &str) -> Result<c_int> {
    // SAFETY: this command takes no fourth argument and writes nothing.
    match unsafe { libc::semctl(id, number.into(), command) } {
        -1 => Err(Error::new(
            "semctl",
            Errno::last(),
            format!("{name} of semaphore {number} in set {id}"),
        )),
        answer => Ok(answer),
    }
}

/// `SETVAL`, which also forgets what every process would undo on this semaphore.
pub(crate) fn set_value(id: i32, number: u16, value: u16) -> Result<()> {
    let argument = Argument { value: value.into() };
    // SAFETY: SETVAL reads an int from the union, which is where one was put.
    match unsafe { libc::semctl(id, number.into(), libc::SETVAL, argument) } {
        -1 => Err(Error::new(
            "semctl",
            Errno::last(),
            format!("SETVAL of semaphore {number} in set {id}"),
        )),
        _ => Ok(()),
    }
}

/// `IPC_STAT`, which needs read permission.
pub(crate) fn stat(id: i32) -> Result<Raw> {
    let mut found = MaybeUninit::<SemidDs>::zeroed();
    let argument = Argument { stat: found.as_mut_ptr() };
    // SAFETY: the kernel writes one semid_ds, and there is room for one.
    if unsafe { libc::semctl(id, 0, libc::IPC_STAT, argument) } == -1 {
        return Err(Error::new("semctl", Errno::last(), format!("IPC_STAT of semaphore set {id}")));
    }
    // SAFETY: the kernel filled it; and all zeroes, from above, is a valid value as well.
    let found = unsafe { found.assume_init() };
    Ok(Raw {
        permissions: Permissions::of(&found.permissions),
        last_operation: found.last_operation,
        last_change: found.last_change,
        count: usize::try_from(found.count).unwrap_or(usize::MAX),
    })
}

/// `IPC_RMID`: at once, whoever is using it.
pub(crate) fn remove(id: i32) -> Result<()> {
    // SAFETY: IPC_RMID takes no fourth argument.
    match unsafe { libc::semctl(id, 0, libc::IPC_RMID) } {
        -1 => Err(Error::new("semctl", Errno::last(), format!("IPC_RMID of semaphore set {id}"))),
        _ => Ok(()),
    }
}
