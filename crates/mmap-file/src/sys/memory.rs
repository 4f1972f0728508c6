//! Pages, what may be done with them, and who watches over them.

use std::mem;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::AtomicBool;

use ipc_common::view::{ReadView, WriteView};
use ipc_common::{Errno, Error, Result};
use nix::sys::mman::{self, MsFlags};
use segv_guard::FileWatch;

use super::Pages;
use crate::mapping::{Advice, Protection};

/// Pages that this process has mapped and that nobody else in it may unmap; they are unmapped on
/// drop. The bytes that the user sees need not begin at the start of a page.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Before the pages: it has to let go of them before they are unmapped.
    watch: Option<FileWatch>,
    pages: Pages,
    protection: Protection,
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

    /// Whether zeros have taken the place of some of the file's pages: asked after an access, about
    /// that access as well.
    #[inline]
    pub fn is_replaced(&self) -> bool {
        self.watch.as_ref().is_some_and(FileWatch::is_replaced)
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
        // bytes exists: this file makes none.
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

/// Watches the pages from `start` on, `len` bytes in all.
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
    // SAFETY: the caller's promise.
    unsafe { guard.watch_file(start.get(), len, protection.flags()) }
}
