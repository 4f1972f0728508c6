//! Everything unsafe of this crate: mmap(2), munmap(2), mprotect(2), madvise(2), msync(2), and the
//! step from "mapped" to a view. Above this file there is none.
//!
//! nix makes the calls. memmap2 could map files shared, but asks for the length and the page size
//! once more, which is a third of the instructions of a mapping (`own_cost` in benches/).

use std::mem;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

use ipc_common::view::{ReadView, WriteView};
use ipc_common::{Errno, Error, PageSize, Result};
use nix::sys::mman::{self, MapFlags, MsFlags};
use segv_guard::FileWatch;

use crate::mapping::{Advice, Protection, Sharing, Window};

/// What is to be mapped, checked already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub window: Window,
    pub protection: Protection,
    pub sharing: Sharing,
    pub populate: bool,
}

/// Pages that this process has mapped and that nobody else in it may unmap; they are unmapped on
/// drop. The bytes that the user sees need not begin at the start of a page.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Before the pages: it has to let go of them before they are unmapped.
    watch: Option<FileWatch>,
    pages: Pages,
    protection: Protection,
}

/// The bytes that the user sees; the pages below them are what is mapped.
#[derive(Debug)]
pub(crate) struct Pages {
    start: NonNull<u8>,
    len: usize,
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
        Ok(Pages { start, len: window.len })
    }

    /// The start of the page that a part begins in, and the number of bytes from there to its end.
    /// The part is inside.
    #[inline]
    fn whole(&self, offset: usize, len: usize) -> (NonNull<u8>, usize) {
        debug_assert!(offset <= self.len && len <= self.len - offset);
        // SAFETY: the offset is inside; and the start of a page that holds a byte of ours is ours.
        let first = unsafe { self.start.add(offset) };
        let lead = PageSize::system().offset_in_page(first.addr().get());
        // SAFETY: as above.
        (unsafe { first.sub(lead) }, lead + len)
    }
}

impl Memory {
    /// What is missing is SIGBUS.
    #[inline]
    pub fn unguarded(pages: Pages, protection: Protection) -> Memory {
        Memory { watch: None, pages, protection }
    }

    /// Has missing pages replaced by zeros when they are touched in place.
    #[inline]
    pub fn guarded(pages: Pages, protection: Protection) -> Result<Memory> {
        let (start, len) = pages.whole(0, pages.len);
        // SAFETY: the pages are ours until `watch` is dropped, which is before they are unmapped;
        // only this file could map something else there, and does not. No reference to their
        // bytes exists.
        let watch = unsafe { watch(start.addr(), len, protection) }?;
        Ok(Memory { watch: Some(watch), pages, protection })
    }

    /// The same, by a watch that was there before the mapping.
    #[inline]
    pub fn guarded_by(watch: FileWatch, pages: Pages, protection: Protection) -> Memory {
        Memory { watch: Some(watch), pages, protection }
    }

    /// Whether zeros have taken the place of some of the file's pages.
    #[inline]
    pub fn is_replaced(&self) -> bool {
        self.replaced().is_some_and(|replaced| replaced.load(Ordering::Acquire))
    }

    #[inline]
    fn replaced(&self) -> Option<&AtomicBool> {
        self.watch.as_ref().map(FileWatch::replaced)
    }

    /// The first byte that the user sees.
    #[inline]
    pub fn start(&self) -> NonNull<u8> {
        self.pages.start
    }

    /// How many bytes the user sees.
    #[inline]
    pub fn len(&self) -> usize {
        self.pages.len
    }

    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// The bytes, if the protection allows looking at them.
    #[inline]
    pub fn read_view(&self) -> Option<ReadView<'_>> {
        // SAFETY: the pages stay mapped while `self` is borrowed: only `drop` and `unmap` unmap
        // them, and only `protect(&mut self)` changes the protection. No reference to their
        // bytes exists: this file makes none, and MmapRaw neither.
        let view = || unsafe { ReadView::new(self.start(), self.len()) };
        let view = self.protection.can_read().then(view)?;
        Some(self.replaced().map_or(view, |replaced| view.watched(replaced)))
    }

    /// The bytes, if the protection allows changing them.
    #[inline]
    pub fn write_view(&self) -> Option<WriteView<'_>> {
        // SAFETY: as in `read_view`, and the pages are writable.
        let view = || unsafe { WriteView::new(self.start(), self.len()) };
        let view = self.protection.can_write().then(view)?;
        Some(self.replaced().map_or(view, |replaced| view.watched(replaced)))
    }

    pub fn protect(&mut self, protection: Protection) -> std::result::Result<(), Errno> {
        let (start, len) = self.pages();
        // SAFETY: the pages are ours, and `&mut self` says that no view of them is in use.
        unsafe { mman::mprotect(start.cast(), len, protection.flags()) }?;
        self.protection = protection;
        if let Some(watch) = &self.watch {
            watch.set_protection(protection.flags());
        }
        Ok(())
    }

    /// The caller has checked that the range is inside.
    pub fn advise(
        &self,
        offset: usize,
        len: usize,
        advice: Advice,
    ) -> std::result::Result<(), Errno> {
        let (start, len) = self.pages_of(offset, len);
        // SAFETY: `pages_of` stays in pages that are ours, and no `Advice` changes a byte.
        let result = unsafe { libc::madvise(start.as_ptr().cast(), len, advice.raw()) };
        Errno::result(result).map(drop)
    }

    /// The caller has checked that the range is inside.
    pub fn flush(&self, offset: usize, len: usize, wait: bool) -> std::result::Result<(), Errno> {
        let how = if wait { MsFlags::MS_SYNC } else { MsFlags::MS_ASYNC };
        let (start, len) = self.pages_of(offset, len);
        // SAFETY: msync reads pages that are ours, and changes none.
        unsafe { mman::msync(start.cast(), len, how) }
    }

    /// Unmaps now, and says so if that fails; the pages then stay mapped for good.
    pub fn unmap(self) -> Result<()> {
        let (start, len) = self.leave_mapped();
        // SAFETY: the pages were ours, and the owner that would have unmapped them is forgotten.
        unsafe { mman::munmap(start.cast(), len) }
            .map_err(|errno| Error::new("munmap", errno, format!("{len} bytes at {start:p}")))
    }

    /// Gives the pages up, and nobody watches them any more; but they stay mapped.
    pub fn leave_mapped(self) -> (NonNull<u8>, usize) {
        let pages = self.pages();
        drop(self.watch);
        mem::forget(self.pages);
        pages
    }

    /// The start of the first page, and the number of bytes from there on.
    #[inline]
    fn pages(&self) -> (NonNull<u8>, usize) {
        self.pages_of(0, self.len())
    }

    /// The same for a part that is inside.
    #[inline]
    fn pages_of(&self, offset: usize, len: usize) -> (NonNull<u8>, usize) {
        self.pages.whole(offset, len)
    }
}

/// Watches the pages that `len` bytes from `start` on are in. `start` is the first byte of a page.
///
/// # Safety
///
/// As for `segv_guard::Guard::watch_file`: from when something is mapped there until the watch is
/// dropped, it is the caller's, and nobody has a reference to its bytes.
#[inline]
pub(crate) unsafe fn watch(
    start: NonZeroUsize,
    len: usize,
    protection: Protection,
) -> Result<FileWatch> {
    let guard = segv_guard::install()?;
    // What is mapped cannot end past the last page of the address space.
    let whole_pages = PageSize::system().round_up(len).unwrap_or(len);
    // SAFETY: the caller's promise; the last page is mapped whole.
    unsafe { guard.watch_file(start.get(), whole_pages, protection.flags()) }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let (start, len) = self.whole(0, self.len);
        // SAFETY: these pages are ours, and nothing refers to them any more. What munmap could
        // answer, nobody could hear; `unmap` is there for those who want to.
        let _ = unsafe { mman::munmap(start.cast(), len) };
    }
}

/// What to call a file in an error: its path as the kernel knows it.
pub(crate) fn name_of(fd: impl AsFd) -> String {
    let number = fd.as_fd().as_raw_fd();
    match std::fs::read_link(format!("/proc/self/fd/{number}")) {
        Ok(path) => path.display().to_string(),
        Err(_) => format!("descriptor {number}"),
    }
}
