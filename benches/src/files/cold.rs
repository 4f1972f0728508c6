//! A file of which nothing is in memory.
//!
//! posix_fadvise(2) with `POSIX_FADV_DONTNEED` is a wish: pages that are dirty, mapped by anybody,
//! or just being looked at stay. So the file is written to the disk first, and mincore(2) has to
//! confirm that nothing is left. Where the page cache *is* the file system (tmpfs), nothing ever goes.
//!
//! (What the disk, or the host of a virtual machine, keeps in its own memory cannot be seen from
//! here, and is not dropped: "cold" means that this kernel has to ask.)

use std::fs::File;
use std::os::fd::AsRawFd;

use ipc_common::{Errno, Error, PageSize, Result};
use serde::{Deserialize, Serialize};

/// Whether a file's pages are in memory when a round begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Temperature {
    /// All of them.
    Warm,
    /// None of them.
    Cold,
}

/// How often the wish is repeated: a page may be held by a writeback that ends in a moment. With
/// naps that grow, some two seconds in all.
const ATTEMPTS: usize = 64;

/// Drops the file's pages from memory, and makes sure that they have gone.
///
/// # Errors
///
/// `EBUSY` with the number of pages that stay: the file is mapped, or its file system has no other
/// place for them. Those of fsync(2), posix_fadvise(2), mincore(2).
pub fn chill(file: &File) -> Result<()> {
    let about = || format!("descriptor {}", file.as_raw_fd());
    file.sync_all().map_err(|error| Error::from_io("fsync", &error, about()))?;
    let mut left = 0;
    for attempt in 0..ATTEMPTS {
        // SAFETY: numbers only.
        let result =
            unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
        if result != 0 {
            return Err(Error::new("posix_fadvise", Errno::from_raw(result), about()));
        }
        left = resident_pages(file)?;
        if left == 0 {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(attempt as u64));
    }
    Err(Error::refused("posix_fadvise", Errno::EBUSY, format!("{left} pages stay in memory"))
        .with_remedy(
            "the page cache cannot be dropped here: it is the file itself (tmpfs), or mapped",
        ))
}

/// How many of the file's pages are in memory (mincore(2), of a mapping that is never touched).
///
/// # Errors
///
/// Those of fstat(2), mmap(2) and mincore(2).
pub fn resident_pages(file: &File) -> Result<usize> {
    let about = || format!("descriptor {}", file.as_raw_fd());
    let len = file.metadata().map_err(|error| Error::from_io("fstat", &error, about()))?.len();
    let len = usize::try_from(len).map_err(|_| Error::new("mmap", Errno::EOVERFLOW, about()))?;
    if len == 0 {
        return Ok(0);
    }
    let mut pages = vec![0_u8; PageSize::system().pages(len)];
    // SAFETY: a new mapping where the kernel likes.
    let start = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            len,
            libc::PROT_READ,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return Err(Error::last("mmap", about()));
    }
    // SAFETY: the mapping has so many pages, and the vector a byte for each.
    let looked = Errno::result(unsafe { libc::mincore(start, len, pages.as_mut_ptr()) });
    // SAFETY: mapped above, and nobody has its address.
    unsafe { libc::munmap(start, len) };
    looked.map_err(|errno| Error::new("mincore", errno, about()))?;
    // Only the lowest bit means something.
    Ok(pages.iter().filter(|page| **page & 1 == 1).count())
}
