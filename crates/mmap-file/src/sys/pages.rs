//! Pages that are mapped, until they are unmapped.

use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use ipc_common::{Errno, PageSize};
use nix::sys::mman::{self, MapFlags};

use crate::mapping::{Protection, Sharing, Window};

/// What is to be mapped, checked already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub window: Window,
    pub protection: Protection,
    pub sharing: Sharing,
    pub populate: bool,
}

/// The bytes that the user sees; the pages below them are what is mapped.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(super) start: NonNull<u8>,
    pub(super) len: usize,
    /// That of the mapping: munmap(2) and its like want whole pages, and hugetlbfs has larger ones.
    page: PageSize,
}

// SAFETY: `Pages` is an address range, owned; the bytes in it are only touched through views,
// which may be used from any thread.
unsafe impl Send for Pages {}
// SAFETY: as for Send: `&Pages` gives no more than the address range.
unsafe impl Sync for Pages {}

impl Pages {
    /// Maps a file wherever the kernel likes.
    #[inline]
    pub fn of_file(fd: BorrowedFd<'_>, request: &Request) -> std::result::Result<Pages, Errno> {
        // SAFETY: without an address the kernel chooses one where nothing is mapped.
        unsafe { Pages::map(Some(fd), request, None, MapFlags::empty()) }
    }

    /// Maps memory that belongs to no file: shared with the children of this process.
    pub fn anonymous(request: &Request) -> std::result::Result<Pages, Errno> {
        // SAFETY: without an address the kernel chooses one where nothing is mapped.
        unsafe { Pages::map(None, request, None, MapFlags::empty()) }
    }

    /// Maps a file at `address` if nothing is mapped there. `EEXIST` if something is.
    pub fn at_free(
        fd: BorrowedFd<'_>,
        request: &Request,
        address: NonZeroUsize,
    ) -> std::result::Result<Pages, Errno> {
        // SAFETY: MAP_FIXED_NOREPLACE never takes pages away from anyone. A kernel that does not
        // know it takes the address as a hint, which takes nothing away either.
        let pages =
            unsafe { Pages::map(Some(fd), request, Some(address), MapFlags::MAP_FIXED_NOREPLACE) }?;
        let there = pages.whole(0, pages.len).0.addr() == address;
        if there { Ok(pages) } else { Err(Errno::EEXIST) }
    }

    /// Maps a file at `address`, in place of whatever is mapped there.
    ///
    /// # Safety
    ///
    /// Every page in the range belongs to the caller, who has given up all that refers to it:
    /// references, views, and owners that would unmap it later.
    pub unsafe fn at_taken(
        fd: BorrowedFd<'_>,
        request: &Request,
        address: NonZeroUsize,
    ) -> std::result::Result<Pages, Errno> {
        // SAFETY: passed on to our caller.
        unsafe { Pages::map(Some(fd), request, Some(address), MapFlags::MAP_FIXED) }
    }

    /// # Safety
    ///
    /// With MAP_FIXED in `extra`: as for [`Pages::at_taken`].
    #[inline]
    unsafe fn map(
        fd: Option<BorrowedFd<'_>>,
        request: &Request,
        address: Option<NonZeroUsize>,
        extra: MapFlags,
    ) -> std::result::Result<Pages, Errno> {
        let window = request.window;
        let mapped = NonZeroUsize::new(window.mapped()).ok_or(Errno::EINVAL)?;
        let offset = window.aligned.try_into().map_err(|_| Errno::EOVERFLOW)?;
        let mut flags = request.sharing.flags() | extra;
        if request.populate {
            flags |= MapFlags::MAP_POPULATE;
        }
        let protection = request.protection.flags();
        // SAFETY: our caller answers for MAP_FIXED. Without it, mmap changes no mapping there is.
        let start = unsafe {
            match fd {
                Some(fd) => mman::mmap(address, mapped, protection, flags, fd, offset),
                None => mman::mmap_anonymous(address, mapped, protection, flags),
            }
        }?;
        // SAFETY: `lead` is less than `mapped`, so this stays inside what was just mapped.
        let start = unsafe { start.cast::<u8>().add(window.lead) };
        Ok(Pages { start, len: window.len, page: window.page })
    }

    /// The pages that a part lies in: the start of the first, and their bytes. The part is inside.
    #[inline]
    pub(super) fn whole(&self, offset: usize, len: usize) -> (NonNull<u8>, usize) {
        debug_assert!(offset <= self.len && len <= self.len - offset);
        // SAFETY: the offset is inside; and the start of a page that holds a byte of ours is ours.
        let first = unsafe { self.start.add(offset) };
        let lead = self.page.offset_in_page(first.addr().get());
        // What is mapped cannot end past the last page of the address space.
        let bytes = self.page.round_up(lead + len).unwrap_or(lead + len);
        // SAFETY: as above.
        (unsafe { first.sub(lead) }, bytes)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let (start, len) = self.whole(0, self.len);
        // SAFETY: these pages are ours, and nothing refers to them any more. What munmap could
        // answer, nobody could hear; `unmap` is there for those who want to.
        let _ = unsafe { mman::munmap(start.cast(), len) };
    }
}
