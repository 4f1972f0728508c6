//! The calls that nix lacks, or that are unsafe whoever makes them, as typed functions. All of
//! them may be called from a signal handler, except [`map_stack`] and [`unmap`].
//!
//! # Layout
//!
//! `signals`, `memory` and `userfault` by what they are about; here: copies by the kernel's hand,
//! sleeping and waking, and who we are.

mod memory;
mod signals;
pub(crate) mod userfault;

pub(crate) use memory::*;
pub(crate) use signals::*;

use std::ffi::c_int;
use std::ptr;
use std::sync::atomic::AtomicU32;

use nix::errno::Errno;

/// Copies from `src` to `local`, both in this process, by the kernel's hand. Returns how many
/// bytes it was; fewer than asked for if it met a page that it could not read.
///
/// # Safety
///
/// - The bytes at `src`, as far as they are mapped, may be read: they belong to no `&mut` in use.
pub(crate) unsafe fn kernel_read(src: *const u8, local: &mut [u8]) -> nix::Result<usize> {
    let ours = libc::iovec { iov_base: local.as_mut_ptr().cast(), iov_len: local.len() };
    let theirs = libc::iovec { iov_base: src.cast_mut().cast(), iov_len: local.len() };
    // SAFETY: `local` may be written; of `src` the kernel reads what it can.
    let n = unsafe { libc::process_vm_readv(libc::getpid(), &ours, 1, &theirs, 1, 0) };
    Errno::result(n).map(isize::unsigned_abs)
}

/// Copies from `local` to `dst`, likewise.
///
/// # Safety
///
/// - The bytes at `dst`, as far as they are mapped writable, may be overwritten.
pub(crate) unsafe fn kernel_write(local: &[u8], dst: *mut u8) -> nix::Result<usize> {
    let ours = libc::iovec { iov_base: local.as_ptr().cast_mut().cast(), iov_len: local.len() };
    let theirs = libc::iovec { iov_base: dst.cast(), iov_len: local.len() };
    // SAFETY: the kernel only reads `local`; of `dst` it writes what it can.
    let n = unsafe { libc::process_vm_writev(libc::getpid(), &ours, 1, &theirs, 1, 0) };
    Errno::result(n).map(isize::unsigned_abs)
}

/// Sleeps while `word` is `seen`, until [`futex_wake`], a signal, or for no reason.
pub(crate) fn futex_wait(word: &AtomicU32, seen: u32) {
    let forever = ptr::null::<libc::timespec>();
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel reads the word, which the reference keeps alive.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, seen, forever) };
}

/// Wakes everyone who sleeps on `word`. It need not be there any more: the kernel takes it as a
/// name. (Whoever has made another futex of the same memory meanwhile is woken for no reason,
/// which every sleeper has to expect.)
pub(crate) fn futex_wake(word: *const AtomicU32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: FUTEX_WAKE reads no memory.
    unsafe { libc::syscall(libc::SYS_futex, word, operation, c_int::MAX) };
}

/// membarrier(2): whatever this thread stored before is seen by every other thread of the process in
/// what that does from now on, as if each of them had just passed a full barrier. A kernel without
/// it (or whoever forbids it) does nothing.
pub(crate) fn barrier_for_all_threads() {
    /// linux/membarrier.h.
    const PRIVATE_EXPEDITED: c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: c_int = 1 << 4;
    // SAFETY: it takes numbers.
    let ask = |command: c_int| unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) };
    // EPERM: the process has to say once that it will want this.
    if ask(PRIVATE_EXPEDITED) != 0 && Errno::last() == Errno::EPERM {
        ask(REGISTER_PRIVATE_EXPEDITED);
        ask(PRIVATE_EXPEDITED);
    }
}

/// sched_yield(2).
pub(crate) fn give_way() {
    // SAFETY: it takes nothing.
    unsafe { libc::sched_yield() };
}

/// getpid(2).
pub(crate) fn process_id() -> i32 {
    // SAFETY: it takes nothing.
    unsafe { libc::getpid() }
}

/// gettid(2). The C library's own is newer than some that this runs on.
pub(crate) fn thread_id() -> i32 {
    // SAFETY: it takes nothing.
    unsafe { libc::syscall(libc::SYS_gettid) as i32 }
}
