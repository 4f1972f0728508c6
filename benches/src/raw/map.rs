//! mmap(2).

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};

use ipc_common::{Errno, Error, PageSize, Result};

use super::load_each;

/// A mapping by mmap(2), unmapped on drop.
#[derive(Debug)]
pub struct Map {
    start: NonNull<u8>,
    len: usize,
}

impl Map {
    /// The first `len` bytes of a file: `PROT_…` and `MAP_…` as in C.
    ///
    /// # Errors
    ///
    /// Those of mmap(2).
    #[inline]
    pub fn of_file(file: &File, len: usize, protection: i32, flags: i32) -> Result<Map> {
        Map::new(file.as_raw_fd(), len, protection, flags)
    }

    /// New memory, readable and writable; `MAP_…` besides `MAP_ANONYMOUS`.
    ///
    /// # Errors
    ///
    /// Those of mmap(2).
    #[inline]
    pub fn anonymous(len: usize, flags: i32) -> Result<Map> {
        Map::new(-1, len, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_ANONYMOUS | flags)
    }

    /// Addresses, and nothing behind them.
    pub(super) fn reserved(len: usize) -> Result<Map> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        Map::new(-1, len, libc::PROT_NONE, flags)
    }

    /// The same at an address of one's own, if nothing is there.
    pub(super) fn reserved_at(place: Range<usize>) -> Result<Map> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let at = ptr::without_provenance_mut(place.start);
        // (A kernel before 4.17 takes the address for a wish: then the addresses are others.)
        let flags = flags | libc::MAP_FIXED_NOREPLACE;
        Map::at(at, -1, place.len(), libc::PROT_NONE, flags)
    }

    #[inline]
    fn new(fd: i32, len: usize, protection: i32, flags: i32) -> Result<Map> {
        Map::at(ptr::null_mut(), fd, len, protection, flags)
    }

    #[inline]
    fn at(at: *mut libc::c_void, fd: i32, len: usize, protection: i32, flags: i32) -> Result<Map> {
        let flags = flags & !libc::MAP_FIXED;
        // SAFETY: a new mapping where nothing is; MAP_FIXED, which takes others' place, is left out.
        let start = unsafe { libc::mmap(at, len, protection, flags, fd, 0) };
        match NonNull::new(start.cast::<u8>()) {
            Some(at) if start != libc::MAP_FAILED => Ok(Map { start: at, len }),
            _ => Err(Error::last("mmap", format!("{len} bytes"))),
        }
    }

    /// Where it begins.
    #[inline]
    pub fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// How many bytes it has.
    #[expect(clippy::len_without_is_empty, reason = "a mapping has at least one byte")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// madvise(2) for all of it.
    ///
    /// # Errors
    ///
    /// Those of madvise(2): `EINVAL` also for an advice that the kernel does not know.
    #[inline]
    pub fn advise(&self, advice: i32) -> Result<()> {
        // SAFETY: our own pages. Advice that drops their contents would make them zeros, which are
        // bytes as well.
        let result = unsafe { libc::madvise(self.start.as_ptr().cast(), self.len, advice) };
        Errno::result(result).map_err(|errno| Error::new("madvise", errno, "a mapping"))?;
        Ok(())
    }

    /// msync(2) for all of it: `MS_SYNC` or `MS_ASYNC`.
    ///
    /// # Errors
    ///
    /// Those of msync(2).
    #[inline]
    pub fn sync(&self, flags: i32) -> Result<()> {
        // SAFETY: our own pages.
        let result = unsafe { libc::msync(self.start.as_ptr().cast(), self.len, flags) };
        Errno::result(result).map_err(|errno| Error::new("msync", errno, "a mapping"))?;
        Ok(())
    }

    /// Loads a byte of each page: whoever does that first takes the faults.
    #[inline]
    pub fn load_each_page(&self) -> u64 {
        // SAFETY: our own pages; they are readable, and a file's as long as the file.
        unsafe { load_each(self.start(), self.len, PageSize::system().bytes()) }
    }
}

impl Drop for Map {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: mapped by us, and nobody else has the address for longer than this lives.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}
