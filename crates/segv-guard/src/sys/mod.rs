//! The calls that nix lacks, or that are unsafe whoever makes them, as typed functions. All of
//! them may be called from a signal handler, except [`map_stack`] and [`unmap`].

pub(crate) mod userfault;

use std::ffi::{c_int, c_void};
use std::mem::{self, MaybeUninit};
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU32;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{self, MapFlags, ProtFlags};
use nix::unistd::ftruncate;

/// What is done on `signal` now; nothing is changed.
pub(crate) fn current_action(signal: c_int) -> nix::Result<libc::sigaction> {
    let mut action = MaybeUninit::uninit();
    // SAFETY: no new action is given; there is room for the current one, which a success fills.
    unsafe {
        Errno::result(libc::sigaction(signal, ptr::null(), action.as_mut_ptr()))?;
        Ok(action.assume_init())
    }
}

/// Whether `signal` now does what it does in a program that never asked for anything else.
pub(crate) fn is_default(signal: c_int) -> bool {
    matches!(current_action(signal), Ok(action) if action.sa_sigaction == libc::SIG_DFL)
}

/// Makes the process die of the next `signal`.
pub(crate) fn set_default(signal: c_int) {
    // SAFETY: `sigaction` is plain data, for which zeros are "the default, no flags, no mask".
    let action: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: a valid action. It cannot fail for a signal that had a handler.
    unsafe { libc::sigaction(signal, &action, ptr::null_mut()) };
}

/// Sends the calling thread `signal` once more, with the same `info`: whoever waits for this
/// process or traces it sees the original sender, code and address.
///
/// # Safety
///
/// - `info` is what the kernel passed to a handler that is still running.
pub(crate) unsafe fn queue_again(signal: c_int, info: *const libc::siginfo_t) {
    // SAFETY: the kernel copies `info`, which the caller vouches for. A process may send itself
    // any code.
    unsafe {
        libc::syscall(
            libc::SYS_rt_tgsigqueueinfo,
            libc::getpid(),
            libc::syscall(libc::SYS_gettid),
            signal,
            info,
        )
    };
}

/// Calls a handler as the kernel would have.
///
/// # Safety
///
/// - `handler` and `has_info` are those of an action the kernel accepted, neither `SIG_DFL` nor
///   `SIG_IGN`; the rest are the arguments of a handler that is still running.
pub(crate) unsafe fn call(
    handler: libc::sighandler_t,
    has_info: bool,
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    type WithInfo = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
    type Plain = extern "C" fn(c_int);
    if has_info {
        // SAFETY: whoever installed it said by SA_SIGINFO that it is such a function.
        let function: WithInfo = unsafe { mem::transmute(handler) };
        function(signal, info, context);
    } else {
        // SAFETY: and here, by leaving SA_SIGINFO out, that it is such a one.
        let function: Plain = unsafe { mem::transmute(handler) };
        function(signal);
    }
}

/// The alternate stack of the calling thread; `stack`, if given, takes its place.
///
/// # Safety
///
/// - The memory of `stack` stays mapped and unused until another takes its place.
pub(crate) unsafe fn alternate_stack(stack: Option<&libc::stack_t>) -> nix::Result<libc::stack_t> {
    let mut old = MaybeUninit::uninit();
    let new = stack.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `new` is null or a valid stack by the caller's promise; `old` has room, and is
    // filled by a success.
    unsafe {
        Errno::result(libc::sigaltstack(new, old.as_mut_ptr()))?;
        Ok(old.assume_init())
    }
}

/// How much of its stack a handler's frame may take on this processor: the registers of its vector
/// units are saved there. 0 from a kernel that does not say.
pub(crate) fn signal_frame_size() -> usize {
    /// linux/auxvec.h; since Linux 5.14 on x86-64, earlier on aarch64.
    const AT_MINSIGSTKSZ: libc::c_ulong = 51;
    // SAFETY: getauxval takes a number and answers 0 to those it does not know.
    unsafe { libc::getauxval(AT_MINSIGSTKSZ) as usize }
}

/// New memory for a stack of `len` bytes, of which the first `guard` cannot be touched.
pub(crate) fn map_stack(len: NonZeroUsize, guard: usize) -> nix::Result<NonNull<c_void>> {
    let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_STACK | MapFlags::MAP_NORESERVE;
    let open = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: new memory at an address of the kernel's choice.
    let memory = unsafe { mman::mmap_anonymous(None, len, open, flags)? };
    // SAFETY: its first bytes, which nobody knows of yet.
    if let Err(errno) = unsafe { mman::mprotect(memory, guard, ProtFlags::PROT_NONE) } {
        // SAFETY: as above.
        let _ = unsafe { unmap(memory, len) };
        return Err(errno);
    }
    Ok(memory)
}

/// Puts private pages of zeros in the place of what is mapped at `start`.
///
/// # Safety
///
/// - The range is whole pages of the caller's, and nobody is harmed if their bytes are 0.
pub(crate) unsafe fn map_zeros(start: usize, len: usize, protection: c_int) -> nix::Result<()> {
    let flags = libc::MAP_FIXED | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let start = ptr::with_exposed_provenance_mut::<c_void>(start);
    // SAFETY: the caller's promise. In the C library this is the bare system call, though
    // signal-safety(7) does not list it.
    let mapped = unsafe { libc::mmap(start, len, protection, flags, -1, 0) };
    if mapped == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(()) }
}

/// # Safety
///
/// - The memory came from [`map_stack`] with this length, and nobody uses it any more.
pub(crate) unsafe fn unmap(memory: NonNull<c_void>, len: NonZeroUsize) -> nix::Result<()> {
    // SAFETY: the caller's promise.
    unsafe { mman::munmap(memory, len.get()) }
}

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

/// Addresses for `len` bytes, with nothing behind them that could be touched.
pub(crate) fn reserve(len: NonZeroUsize) -> nix::Result<NonNull<c_void>> {
    let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE;
    // SAFETY: new memory at an address of the kernel's choice.
    unsafe { mman::mmap_anonymous(None, len, ProtFlags::PROT_NONE, flags) }
}

/// mprotect(2): async-signal-safe on Linux, though POSIX does not say so.
///
/// # Safety
///
/// - The memory is the caller's own mapping, and whoever uses it expects such a change.
pub(crate) unsafe fn protect(
    start: NonNull<c_void>,
    len: usize,
    protection: ProtFlags,
) -> nix::Result<()> {
    // SAFETY: the caller's promise.
    unsafe { mman::mprotect(start, len, protection) }
}

/// sched_yield(2).
pub(crate) fn give_way() {
    // SAFETY: it takes nothing.
    unsafe { libc::sched_yield() };
}

/// A file of `len` bytes that is in memory only, has no name, and keeps its length.
pub(crate) fn memory_file(len: i64) -> nix::Result<OwnedFd> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let file = memfd_create("segv-guard", flags)?;
    ftruncate(&file, len)?;
    // Nobody can cut it shorter below a mapping.
    fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW))?;
    Ok(file)
}

/// Maps `file` over what is at `start`, shared, with nothing allowed yet.
///
/// # Safety
///
/// - The addresses are the caller's own, and nobody uses what is there.
pub(crate) unsafe fn map_shared(
    start: NonNull<c_void>,
    len: NonZeroUsize,
    file: &OwnedFd,
) -> nix::Result<()> {
    let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
    // SAFETY: the caller's promise.
    unsafe { mman::mmap(Some(start.addr()), len, ProtFlags::PROT_NONE, flags, file, 0) }.map(drop)
}

/// Gives the memory back: it reads as zeros from here on.
///
/// # Safety
///
/// - The memory is the caller's own anonymous mapping, and nobody needs what is in it.
pub(crate) unsafe fn discard(start: NonNull<c_void>, len: usize) -> nix::Result<()> {
    // SAFETY: the caller's promise.
    unsafe { mman::madvise(start, len, mman::MmapAdvise::MADV_DONTNEED) }
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
