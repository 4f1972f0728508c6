//! The calls by hand, checked. What they return is released by hand, too.

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;
use std::ptr;

/// open(2), read-only.
#[inline]
pub fn open(path: &CStr) -> c_int {
    // SAFETY: a path with its NUL.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    assert!(fd >= 0, "open");
    fd
}

/// fstat(2): how many bytes a regular file has.
#[inline]
pub fn len(fd: c_int) -> usize {
    let mut found = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: there is room for what the call fills in, and it is looked at if that went well.
    let found = unsafe {
        assert_eq!(libc::fstat(fd, found.as_mut_ptr()), 0, "fstat");
        found.assume_init()
    };
    assert_eq!(found.st_mode & libc::S_IFMT, libc::S_IFREG, "a regular file");
    assert!(found.st_size > 0, "an empty file cannot be mapped");
    found.st_size as usize
}

/// mmap(2), shared.
#[inline]
pub fn map(fd: c_int, len: usize, protection: c_int) -> *mut u8 {
    // SAFETY: a new mapping, at an address of the kernel's choice.
    let start = unsafe { libc::mmap(ptr::null_mut(), len, protection, libc::MAP_SHARED, fd, 0) };
    assert!(start != libc::MAP_FAILED, "mmap");
    start.cast()
}

/// munmap(2).
///
/// # Safety
///
/// - The mapping is [`map`]'s, and nobody uses it any more.
#[inline]
pub unsafe fn unmap(start: *mut u8, len: usize) {
    // SAFETY: the caller's promise.
    let result = unsafe { libc::munmap(start.cast(), len) };
    assert_eq!(result, 0, "munmap");
}

/// close(2).
#[inline]
pub fn close(fd: c_int) {
    // SAFETY: the caller's descriptor; a wrong one is no more than an error.
    let result = unsafe { libc::close(fd) };
    assert_eq!(result, 0, "close");
}

/// msync(2), and waits.
///
/// # Safety
///
/// - The range is mapped.
#[inline]
pub unsafe fn sync(start: *mut u8, len: usize) {
    // SAFETY: the caller's promise.
    let result = unsafe { libc::msync(start.cast(), len, libc::MS_SYNC) };
    assert_eq!(result, 0, "msync");
}
