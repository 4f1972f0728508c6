//! userfaultfd(2) and ioctl_pagemap_scan(2), as far as marking written pages goes. The numbers are
//! those of linux/userfaultfd.h and linux/fs.h, which the libc crate lacks; they are the same on
//! x86-64 and aarch64.

use std::ffi::{c_int, c_ulong, c_void};
use std::fs::File;
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};

use nix::errno::Errno;

/// An ordinary user may handle the faults of his own instructions only; which is all we need,
/// since the kernel itself resolves the asynchronous kind, its own included.
const USER_MODE_ONLY: c_int = 1;
const API: u64 = 0xaa;
const FEATURE_WP_UNPOPULATED: u64 = 1 << 13;
const FEATURE_WP_ASYNC: u64 = 1 << 15;
const REGISTER_MODE_WP: u64 = 1 << 1;
const WRITEPROTECT_MODE_WP: u64 = 1 << 0;

const UFFDIO_API: c_ulong = 0xc018_aa3f;
const UFFDIO_REGISTER: c_ulong = 0xc020_aa00;
const UFFDIO_WRITEPROTECT: c_ulong = 0xc018_aa06;
const PAGEMAP_SCAN: c_ulong = 0xc060_6610;

const PAGE_IS_WRITTEN: u64 = 1 << 1;
const SCAN_WP_MATCHING: u64 = 1 << 0;
const SCAN_CHECK_WPASYNC: u64 = 1 << 1;

/// `struct page_region`: addresses.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct PageRegion {
    pub(crate) start: u64,
    pub(crate) end: u64,
    categories: u64,
}

#[cfg(test)]
impl PageRegion {
    pub(crate) fn of(addresses: Range<u64>) -> PageRegion {
        PageRegion { start: addresses.start, end: addresses.end, categories: PAGE_IS_WRITTEN }
    }
}

/// `struct pm_scan_arg`.
#[repr(C)]
#[derive(Default)]
struct ScanArguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// A userfaultfd whose write protection the kernel lifts by itself.
pub(crate) fn open() -> nix::Result<OwnedFd> {
    // SAFETY: userfaultfd takes flags and gives a new descriptor, which nobody else has.
    let fd = unsafe {
        let flags = libc::O_CLOEXEC | USER_MODE_ONLY;
        let fd = Errno::result(libc::syscall(libc::SYS_userfaultfd, flags))?;
        OwnedFd::from_raw_fd(fd as c_int)
    };
    // struct uffdio_api: api, features, ioctls.
    let mut handshake = [API, FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED, 0];
    // SAFETY: the ioctl reads and writes three u64.
    unsafe { ioctl(&fd, UFFDIO_API, handshake.as_mut_ptr().cast()) }?;
    Ok(fd)
}

/// From here on, the kernel marks the pages of this memory that are written.
///
/// # Safety
///
/// - The memory is the caller's own mapping, for as long as `userfault` is open.
pub(crate) unsafe fn mark_writes(
    userfault: &OwnedFd,
    start: NonNull<c_void>,
    len: usize,
) -> nix::Result<()> {
    let (start, size) = (start.addr().get() as u64, len as u64);
    // Huge pages would be marked as one.
    // SAFETY: the caller's memory; the advice changes nothing that is in it.
    let _ = unsafe {
        libc::madvise(ptr::with_exposed_provenance_mut(start as usize), len, libc::MADV_NOHUGEPAGE)
    };
    // struct uffdio_register: start, len, mode, ioctls.
    let mut register = [start, size, REGISTER_MODE_WP, 0];
    // struct uffdio_writeprotect: start, len, mode.
    let mut protect = [start, size, WRITEPROTECT_MODE_WP];
    // SAFETY: the ioctls read and write four and three u64; the memory is the caller's.
    unsafe {
        ioctl(userfault, UFFDIO_REGISTER, register.as_mut_ptr().cast())?;
        ioctl(userfault, UFFDIO_WRITEPROTECT, protect.as_mut_ptr().cast())
    }
}

/// The file that [`take_written`] asks.
pub(crate) fn pagemap() -> nix::Result<OwnedFd> {
    let file = File::open("/proc/self/pagemap");
    file.map(OwnedFd::from)
        .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))
}

/// The written pages of `range`, as far as `found` has room; their marks are taken away. Returns
/// how many ranges were found, and up to which address it has looked.
pub(crate) fn take_written(
    pagemap: &OwnedFd,
    range: Range<usize>,
    found: &mut [PageRegion],
) -> nix::Result<(usize, usize)> {
    let mut arguments = ScanArguments {
        size: size_of::<ScanArguments>() as u64,
        flags: SCAN_WP_MATCHING | SCAN_CHECK_WPASYNC,
        start: range.start as u64,
        end: range.end as u64,
        vec: found.as_mut_ptr().expose_provenance() as u64,
        vec_len: found.len() as u64,
        category_mask: PAGE_IS_WRITTEN,
        return_mask: PAGE_IS_WRITTEN,
        ..ScanArguments::default()
    };
    // SAFETY: the kernel writes no more than `vec_len` regions, and the arguments' `walk_end`. It
    // write-protects pages only where asynchronous marks were asked for (CHECK_WPASYNC).
    let count = unsafe { ioctl_count(pagemap, PAGEMAP_SCAN, (&raw mut arguments).cast()) }?;
    Ok((count, arguments.walk_end as usize))
}

unsafe fn ioctl(fd: &OwnedFd, request: c_ulong, argument: *mut c_void) -> nix::Result<()> {
    // SAFETY: the caller's promise: the argument is of the kind that the request is for.
    unsafe { ioctl_count(fd, request, argument) }.map(drop)
}

unsafe fn ioctl_count(fd: &OwnedFd, request: c_ulong, argument: *mut c_void) -> nix::Result<usize> {
    // SAFETY: as above.
    let count = Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), request as _, argument) })?;
    Ok(count.unsigned_abs() as usize)
}
