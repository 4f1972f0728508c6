//! msync(2), mincore(2) as a question, sync_file_range(2).

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};

use ipc_common::{Errno, PageSize};
use mmap_file::Mapping;
use nix::sys::mman::{MsFlags, msync as nix_msync};

/// Syncs the bytes of a mapping that begins at the start of a page. `range` is whole pages.
pub(crate) fn msync(mapping: &Mapping, range: Range<usize>, how: MsFlags) -> Result<(), Errno> {
    let (start, len) = pages(mapping, range);
    let start = NonNull::new(start).ok_or(Errno::EINVAL)?;
    // SAFETY: msync changes no byte, whatever its flags: MS_INVALIDATE does nothing on Linux to
    // mappings of the page cache. The kernel checks that the range is mapped.
    unsafe { nix_msync(start, len, how) }
}

/// Whether every page of the range is mapped (mincore(2) knows nothing else by `ENOMEM`).
pub(crate) fn is_mapped(mapping: &Mapping, range: Range<usize>) -> bool {
    let (start, len) = pages(mapping, range);
    let mut resident = vec![0u8; PageSize::system().pages(len)];
    // SAFETY: the kernel writes one byte for each page of `len` bytes; the vector has as many.
    let result = unsafe { libc::mincore(start, len, resident.as_mut_ptr()) };
    Errno::result(result) != Err(Errno::ENOMEM)
}

/// Writes the pages of these bytes out, and waits for the device to take them.
pub(crate) fn sync_file_range(file: &File, range: Range<usize>) -> Result<(), Errno> {
    let flags = libc::SYNC_FILE_RANGE_WAIT_BEFORE
        | libc::SYNC_FILE_RANGE_WRITE
        | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    let (offset, len) = (range.start as i64, range.len() as i64);
    // SAFETY: this call takes numbers only, and `file` keeps the descriptor open.
    Errno::result(unsafe { libc::sync_file_range(file.as_raw_fd(), offset, len, flags) }).map(drop)
}

/// The start of the range, as the kernel wants it. Nothing is done with it here.
fn pages(mapping: &Mapping, range: Range<usize>) -> (*mut libc::c_void, usize) {
    assert!(range.start <= range.end && range.end <= mapping.len(), "the caller has checked that");
    (ptr::without_provenance_mut(mapping.address() + range.start), range.len())
}
