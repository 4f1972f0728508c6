//! The calls that know files, not mappings: fdatasync(2), fsync(2), sync_file_range(2).
//!
//! They write what was stored through a mapping as well: the pages are the same.

use std::ops::{Range, RangeBounds};

use ipc_common::{Errno, Result};
use nix::unistd::{fdatasync, fsync};

use crate::file::PageFile;
use crate::sys;

impl PageFile {
    /// Writes all dirty pages of the file to the device, however they became dirty, and waits until
    /// it has them for good; with them goes what is needed to find them again (the length), and
    /// nothing else (fdatasync(2)).
    ///
    /// # Errors
    ///
    /// `EIO`, `ENOSPC`, `EDQUOT`, and whatever else the file system says: the data may be gone, and
    /// from now on every sync of this object is an error ([`sync`](crate::sync)). That is so of
    /// `EINVAL`, too, by which one that cannot sync at all says so: nothing vouches for the data.
    pub fn fdatasync(&self) -> Result<()> {
        self.whole("fdatasync", || fdatasync(self.file()))
    }

    /// As [`PageFile::fdatasync`], and the file's times, mode and owner as well (fsync(2)). Not its
    /// name: see [`durable`](crate::durable).
    ///
    /// # Errors
    ///
    /// As for [`PageFile::fdatasync`].
    pub fn fsync(&self) -> Result<()> {
        self.whole("fsync", || fsync(self.file()))
    }

    /// Gives the pages that hold these bytes to the device, and waits until it has taken them
    /// (sync_file_range(2), with all three of its flags). Returns their numbers.
    ///
    /// **This makes nothing durable.** The device is not told to empty its cache, so a power cut
    /// may take the pages; and where the file system keeps them (for a file that has grown, or had
    /// holes, and for every write on one that copies on write) is not written at all. What it is
    /// good for: to keep the number of dirty pages low, so that the [`PageFile::fdatasync`] that
    /// has to follow is quick.
    ///
    /// # Errors
    ///
    /// Of the range: those of [`Pages::span`](crate::file::Pages::span). As for
    /// [`PageFile::fdatasync`] otherwise: this call takes the kernel's one report, too.
    pub fn write_out(&self, range: impl RangeBounds<usize>) -> Result<Range<usize>> {
        let pages = self.pages().span(range)?.pages;
        let bytes = self.pages().whole(&pages);
        let about = || format!("{}, pages {}..{}", self.name(), pages.start, pages.end);
        self.attempt("sync_file_range", &about, &pages, || {
            sys::sync_file_range(self.file(), bytes).map_err(lost)
        })?;
        Ok(pages)
    }

    fn whole(&self, call: &'static str, kernel: impl FnOnce() -> nix::Result<()>) -> Result<()> {
        let all = 0..self.pages().count();
        self.attempt(call, &|| self.name(), &all, || kernel().map_err(lost))
    }
}

/// Each of them may be what a write has ended with (see [`PageFile::sync`]), and none can be about
/// how we called: the descriptor is open, and the numbers are those of whole pages of its file.
fn lost(errno: Errno) -> (Errno, bool) {
    (errno, false)
}
