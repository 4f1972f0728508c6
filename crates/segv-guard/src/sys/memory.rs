//! Memory: mapped, replaced, closed, opened and given back.

use std::ffi::{c_int, c_void};
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::ptr::{self, NonNull};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{self, MapFlags, ProtFlags};
use nix::unistd::ftruncate;

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
