//! The calls that Rust cannot check.

use std::os::fd::RawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::unistd::Pid;

/// The exit code of a child of ours that panicked.
pub(crate) const PANICKED: i32 = 99;

/// fork(2), with namespaces for the child: its process id here. The child does its work, and ends
/// with the code that it returns; it never comes back, so it drops nothing of its parent's.
///
/// # Errors
///
/// Those of clone(2); `EDEADLK` in a process with several threads, of which the child would have
/// one, and perhaps the locks of the others.
pub(crate) fn fork(namespaces: CloneFlags, child: impl FnOnce() -> i32) -> Result<Pid, Errno> {
    if threads() != Some(1) {
        return Err(Errno::EDEADLK);
    }
    let flags = libc::c_long::from(namespaces.bits() | libc::SIGCHLD);
    // SAFETY: without CLONE_VM, and with no stack of its own, the child goes on with a copy of this
    // process, as after fork(2), whose only thread (checked above) is in no critical section. Linux
    // takes the flags first on x86-64 and aarch64, and ignores the zeros.
    let pid = Errno::result(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })?;
    if pid != 0 {
        return Ok(Pid::from_raw(i32::try_from(pid).map_err(|_| Errno::EOVERFLOW)?));
    }
    // The parent's values must not be dropped twice, so a panic ends here.
    let code = catch_unwind(AssertUnwindSafe(child)).unwrap_or(PANICKED);
    exit(code)
}

/// Ends this process at once, without the handlers of `exit`.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: _exit takes a number.
    unsafe { libc::_exit(code) }
}

/// How many threads this process has (proc_pid_stat(5), the 20th field).
fn threads() -> Option<u32> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(17)?.parse().ok()
}

/// Closes all descriptors from `first` on. For a fresh child, which has no owner of theirs left.
///
/// # Safety
///
/// Nothing that this process still uses may own one of them.
pub(crate) unsafe fn close_from(first: RawFd) -> Result<(), Errno> {
    close_range(first, 0)
}

/// Has all descriptors from `first` on closed by execve(2).
pub(crate) fn close_from_at_exec(first: RawFd) -> Result<(), Errno> {
    close_range(first, libc::CLOSE_RANGE_CLOEXEC)
}

fn close_range(first: RawFd, flags: libc::c_uint) -> Result<(), Errno> {
    // SAFETY: numbers only. Who calls it with flags 0 answers for what is closed.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, flags) };
    match Errno::result(result) {
        // Old container runtimes do not know it.
        Err(Errno::ENOSYS | Errno::EPERM) => one_by_one(first, flags),
        other => other.map(drop),
    }
}

fn one_by_one(first: RawFd, flags: libc::c_uint) -> Result<(), Errno> {
    let names = std::fs::read_dir("/proc/self/fd").map_err(|_| Errno::ENOSYS)?;
    let open: Vec<RawFd> = names
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd >= first)
        .collect();
    for fd in open {
        // The folder that was read is among them, and closed already: EBADF.
        match flags {
            // SAFETY: as above.
            0 => unsafe { libc::close(fd) },
            // SAFETY: numbers only.
            _ => unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) },
        };
    }
    Ok(())
}

/// dup2(2): `to` becomes another number for `from`.
///
/// # Safety
///
/// Nothing that this process still uses may own `to`.
pub(crate) unsafe fn place_at(from: RawFd, to: RawFd) -> Result<(), Errno> {
    // SAFETY: numbers only; what was open as `to` is the caller's to answer for.
    Errno::result(unsafe { libc::dup2(from, to) }).map(drop)
}

/// A signal does again what it does by default: Rust's runtime has SIGPIPE ignored, and that would
/// be inherited through execve(2).
pub(crate) fn default_action(signal: libc::c_int) {
    // SAFETY: SIG_DFL is no handler that could do harm.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// The version of Landlock that the kernel has; 0 if it has none, or is told not to use it.
pub(crate) fn landlock_abi() -> i64 {
    const VERSION: libc::c_uint = 1;
    let none = std::ptr::null::<libc::c_void>();
    // SAFETY: asked for its version, the call takes no attribute.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0_usize, VERSION) }.max(0)
}
