//! The calls that are not safe, as typed functions. They deal in addresses, not in pointers to
//! Rust values: everything here is memory that the commands map for being misused.

use std::ffi::c_int;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::{self, NonNull};

use ipc_common::{Errno, Error, PageSize, Result};
use nix::sys::mman::{self, MapFlags, ProtFlags};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// `MADV_GUARD_INSTALL`, Linux 6.13 (asm-generic/mman-common.h).
const MADV_GUARD_INSTALL: c_int = 102;

/// What a handler is called with.
pub type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void);

/// So many pages of new memory, at an address of the kernel's choice.
pub fn map(pages: usize, protection: ProtFlags, flags: MapFlags) -> Result<usize> {
    let len = length(pages);
    // SAFETY: new memory, of which nobody knows.
    let memory =
        unsafe { mman::mmap_anonymous(None, len, protection, MapFlags::MAP_PRIVATE | flags) };
    memory.map(address).map_err(|errno| Error::new("mmap", errno, format!("{pages} pages")))
}

/// The first pages of a file, as many as asked for, whether it has them or not.
pub fn map_file(file: impl AsFd, pages: usize, protection: ProtFlags) -> Result<usize> {
    // SAFETY: new memory; those who look at it do so as if strangers were writing it.
    let memory =
        unsafe { mman::mmap(None, length(pages), protection, MapFlags::MAP_SHARED, file, 0) };
    memory
        .map(address)
        .map_err(|errno| Error::new("mmap", errno, format!("{pages} pages of a file")))
}

/// What mmap(2) returns when it fails, and C programs use.
pub fn failed_mmap() -> usize {
    // SAFETY: a length of 0 is refused; nothing is mapped.
    unsafe { libc::mmap(ptr::null_mut(), 0, libc::PROT_READ, libc::MAP_PRIVATE, -1, 0) }.addr()
}

/// # Safety
///
/// - The pages came from [`map`] or [`map_file`], and nobody relies on what is in them.
pub unsafe fn unmap(at: usize, pages: usize) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { mman::munmap(pointer(at), length(pages).get()) }
        .map_err(|errno| Error::new("munmap", errno, format!("{at:#x}")))
}

/// # Safety
///
/// - The pages came from [`map`] or [`map_file`], and there is no reference into them.
pub unsafe fn protect(at: usize, pages: usize, protection: ProtFlags) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { mman::mprotect(pointer(at), length(pages).get(), protection) }
        .map_err(|errno| Error::new("mprotect", errno, format!("{at:#x}")))
}

/// Guards a page within a mapping: `MADV_GUARD_INSTALL`.
///
/// # Safety
///
/// - The page came from [`map`], and nobody relies on what is in it.
pub unsafe fn guard(at: usize) -> Result<()> {
    // SAFETY: the caller's promise.
    let done = unsafe { libc::madvise(pointer(at).as_ptr(), length(1).get(), MADV_GUARD_INSTALL) };
    Errno::result(done).map(drop).map_err(|errno| Error::new("madvise", errno, format!("{at:#x}")))
}

/// Takes away all access to a page by a protection key of its own (pkeys(7)).
///
/// # Safety
///
/// - The page came from [`map`], and there is no reference into it.
pub unsafe fn lock_by_key(at: usize) -> Result<()> {
    const PKEY_DISABLE_ACCESS: usize = 1;
    // SAFETY: pkey_alloc takes two numbers.
    let key = Errno::result(unsafe { libc::syscall(libc::SYS_pkey_alloc, 0, PKEY_DISABLE_ACCESS) })
        .map_err(|errno| Error::new("pkey_alloc", errno, ""))?;
    let open = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the caller's promise.
    let done = unsafe { libc::syscall(libc::SYS_pkey_mprotect, at, length(1).get(), open, key) };
    Errno::result(done).map(drop).map_err(|errno| Error::new("pkey_mprotect", errno, ""))
}

/// Whether the kernel can read a byte there, on behalf of this process: it tries, and would say
/// EFAULT.
pub fn is_readable(at: usize) -> bool {
    let Ok((_reader, writer)) = std::io::pipe() else { return false };
    // SAFETY: write(2) only reads, and answers for an address that it cannot read.
    let written =
        unsafe { libc::write(writer.as_raw_fd(), std::ptr::with_exposed_provenance(at), 1) };
    written == 1
}

/// Installs a handler for SIGSEGV and SIGBUS in front of those that are there.
///
/// # Safety
///
/// - The handler does only what a handler may (signal-safety(7)).
pub unsafe fn handle_faults(handler: Handler) -> Result<()> {
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK;
    let action = SigAction::new(SigHandler::SigAction(handler), flags, SigSet::empty());
    for signal in [Signal::SIGSEGV, Signal::SIGBUS] {
        // SAFETY: the caller's promise.
        unsafe { sigaction(signal, &action) }
            .map_err(|errno| Error::new("sigaction", errno, signal.as_str()))?;
    }
    Ok(())
}

/// Lowers a limit of this process.
pub fn limit(resource: Resource, most: u64) -> Result<()> {
    let failed = |errno| Error::new("setrlimit", errno, format!("{resource:?}"));
    let (soft, hard) = getrlimit(resource).map_err(failed)?;
    setrlimit(resource, soft.min(most), hard).map_err(failed)
}

/// Where page `number` of pages from `at` on begins.
pub fn page(at: usize, number: usize) -> usize {
    at + number * PageSize::system().bytes()
}

fn length(pages: usize) -> NonZeroUsize {
    NonZeroUsize::new(page(0, pages)).unwrap_or(NonZeroUsize::MIN)
}

fn address(memory: NonNull<libc::c_void>) -> usize {
    // Exposed: what is done with it later is done by number.
    memory.as_ptr().expose_provenance()
}

fn pointer(at: usize) -> NonNull<libc::c_void> {
    NonNull::new(ptr::with_exposed_provenance_mut(at)).unwrap_or(NonNull::dangling())
}
