//! What is asked of the kernel, and what can be refused before.

use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;

use ipc_common::{Errno, Error, Result};

use super::MapOptions;
use crate::mapping::{Window, truncation};
use crate::open::regular_and_pages;
use crate::sys::{self, Request};

impl MapOptions {
    /// All that can be checked before the kernel is asked.
    #[inline(always)]
    pub(super) fn request(&self, fd: BorrowedFd<'_>) -> Result<Request> {
        let (size, page) = regular_and_pages("mmap", fd)?;
        let rest = size.saturating_sub(self.offset);
        let len = match self.len {
            Some(len) => len,
            None => usize::try_from(rest).unwrap_or(usize::MAX),
        };
        if size == 0 && !self.past_end {
            return Err(empty(fd));
        }
        if self.len.is_none() && rest == 0 {
            return Err(past_end(fd, self.offset, size));
        }
        let window = Window::new(self.offset, len, page)?;
        if !self.past_end && window.end() > size {
            return Err(past_end(fd, window.end(), size));
        }
        let (protection, sharing) = (self.protection, self.sharing);
        Ok(Request { window, protection, sharing, populate: self.populate })
    }

    #[inline(never)]
    pub(super) fn request_at(&self, fd: BorrowedFd<'_>, address: NonZeroUsize) -> Result<Request> {
        let request = self.request(fd)?;
        let page = request.window.page;
        if page.is_aligned(address.get()) {
            return Ok(request);
        }
        Err(Error::refused("mmap", Errno::EINVAL, format!("address {address:#x}"))
            .with_remedy(format!("an address is a multiple of the page size, {page}")))
    }

    #[cold]
    pub(super) fn failed(&self, fd: BorrowedFd<'_>, request: &Request, errno: Errno) -> Error {
        let at = self.at.map(|address| format!(", address {address:#x}")).unwrap_or_default();
        let about = format!("{}, {} bytes{at}", sys::name_of(fd), request.window.len);
        Error::new("mmap", errno, about)
    }
}

// Errors are made apart: a mapping that succeeds does not make room for them.

#[cold]
fn empty(fd: BorrowedFd<'_>) -> Error {
    Error::refused("mmap", Errno::EINVAL, sys::name_of(fd)).with_remedy(
        "the file is empty, and touching a mapping of it would be SIGBUS; put something into it first",
    )
}

#[cold]
fn past_end(fd: BorrowedFd<'_>, end: u64, size: u64) -> Error {
    truncation::past_end("mmap", sys::name_of(fd), end, size)
}
