//! cachestat(2) and mincore(2): what the page cache holds. Neither is in nix, and neither can do
//! harm: they write into what they are given, and read nothing of the process's memory.

use std::ffi::c_void;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;

/// The call's number on x86-64 and aarch64, as for all calls since 2019. (alpha and mips add a
/// number of their own.) The libc crate has it for one of the two only.
const SYS_CACHESTAT: libc::c_long = 451;

/// `struct cachestat_range` (linux/mman.h), in bytes. A length of 0 would mean "to the end".
#[repr(C)]
struct ByteRange {
    offset: u64,
    len: u64,
}

/// `struct cachestat` (linux/mman.h): numbers of pages.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheStat {
    pub cached: u64,
    pub dirty: u64,
    pub writeback: u64,
    pub evicted: u64,
    pub recently_evicted: u64,
}

/// How many pages of `len` bytes at `offset` the page cache holds, and in which state.
pub(crate) fn cachestat(fd: BorrowedFd<'_>, offset: u64, len: u64) -> nix::Result<CacheStat> {
    let range = ByteRange { offset, len };
    let mut found = CacheStat::default();
    // SAFETY: two live structures of the layout that the kernel knows; it reads the one and writes
    // the other. A kernel without the call writes nothing.
    let result = unsafe {
        libc::syscall(SYS_CACHESTAT, fd.as_raw_fd(), &raw const range, &raw mut found, 0u32)
    };
    Errno::result(result).map(|_| found)
}

/// Whether each page from `address` on, which is the start of one, is in memory: bit 0 of a byte
/// each. As many pages as there are bytes in `resident`.
///
/// Safe for any address: of memory that is not mapped it says `ENOMEM`, and no memory but
/// `resident` is written.
pub(crate) fn mincore(address: usize, page: usize, resident: &mut [u8]) -> nix::Result<()> {
    let len = resident.len().checked_mul(page).ok_or(Errno::EINVAL)?;
    let start = std::ptr::without_provenance_mut::<c_void>(address);
    // SAFETY: mincore writes a byte a page, and `resident` has one for each. It does not touch the
    // pages that it tells about.
    let result = unsafe { libc::mincore(start, len, resident.as_mut_ptr()) };
    Errno::result(result).map(drop)
}
