//! Everything unsafe of this crate: mmap(2), munmap(2), mprotect(2), madvise(2), msync(2), and the
//! step from "mapped" to a view. Above this file there is none.
//!
//! memmap2 maps files shared, for reading or for reading and writing: its `MmapRaw` never makes a
//! reference to the bytes. nix does the rest: private, fixed, executable, inaccessible, anonymous.

use std::mem;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

use ipc_common::view::{ReadView, WriteView};
use ipc_common::{Errno, Error, PageSize, Result};
use memmap2::MmapRaw;
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
    owner: Owner,
    /// The first byte that the user sees, and how many there are: the owner's, at hand.
    start: NonNull<u8>,
    len: usize,
    protection: Protection,
}

#[derive(Debug)]
enum Owner {
    Memmap2(MmapRaw),
    Ours(#[expect(dead_code, reason = "it unmaps them when dropped")] Pages),
}

// SAFETY: as for `Pages` below; `start` is only an address in pages that the owner keeps.
unsafe impl Send for Memory {}
// SAFETY: likewise.
unsafe impl Sync for Memory {}

/// The bytes that the user sees; the pages below them are what is mapped.
#[derive(Debug)]
struct Pages {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: `Pages` is an address range, owned; the bytes in it are only touched through views,
// which may be used from any thread.
unsafe impl Send for Pages {}
// SAFETY: as for Send: `&Pages` gives no more than the address range.
unsafe impl Sync for Pages {}

impl Memory {
    /// Maps a file wherever the kernel likes.
    pub fn of_file(fd: BorrowedFd<'_>, request: &Request) -> std::result::Result<Memory, Errno> {
        let protection = request.protection;
        let writable = match (request.sharing, protection) {
            (Sharing::Shared, Protection::Read) => false,
            (Sharing::Shared, Protection::ReadWrite) => true,
            // SAFETY: without an address the kernel chooses one where nothing is mapped.
            _ => unsafe { return Memory::with_nix(Some(fd), request, None, MapFlags::empty()) },
        };
        let mut options = memmap2::MmapOptions::new();
        options.offset(request.window.aligned + request.window.lead as u64).len(request.window.len);
        if request.populate {
            options.populate();
        }
        let raw = if writable { options.map_raw(&fd) } else { options.map_raw_read_only(&fd) };
        let raw = raw.map_err(errno)?;
        let start = NonNull::new(raw.as_mut_ptr()).expect("mmap gives address 0 only when told to");
        let len = raw.len();
        Ok(Memory { watch: None, owner: Owner::Memmap2(raw), start, len, protection })
    }

    /// Maps memory that belongs to no file: shared with the children of this process.
    pub fn anonymous(request: &Request) -> std::result::Result<Memory, Errno> {
        // SAFETY: without an address the kernel chooses one where nothing is mapped.
        unsafe { Memory::with_nix(None, request, None, MapFlags::empty()) }
    }

    /// Maps a file at `address` if nothing is mapped there. `EEXIST` if something is.
    pub fn at_free(
        fd: BorrowedFd<'_>,
        request: &Request,
        address: NonZeroUsize,
    ) -> std::result::Result<Memory, Errno> {
        // SAFETY: MAP_FIXED_NOREPLACE never takes pages away from anyone. A kernel that does not
        // know it takes the address as a hint, which takes nothing away either.
        let memory = unsafe {
            Memory::with_nix(Some(fd), request, Some(address), MapFlags::MAP_FIXED_NOREPLACE)
        }?;
        if memory.pages().0.addr() == address { Ok(memory) } else { Err(Errno::EEXIST) }
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
    ) -> std::result::Result<Memory, Errno> {
        // SAFETY: passed on to our caller.
        unsafe { Memory::with_nix(Some(fd), request, Some(address), MapFlags::MAP_FIXED) }
    }

    /// # Safety
    ///
    /// With MAP_FIXED in `extra`: as for [`Memory::at_taken`].
    unsafe fn with_nix(
        fd: Option<BorrowedFd<'_>>,
        request: &Request,
        address: Option<NonZeroUsize>,
        extra: MapFlags,
    ) -> std::result::Result<Memory, Errno> {
        let window = request.window;
        let mapped = NonZeroUsize::new(window.mapped()).ok_or(Errno::EINVAL)?;
        let offset = window.aligned.try_into().map_err(|_| Errno::EOVERFLOW)?;
        let mut flags = request.sharing.flags() | extra;
        if request.populate {
            flags |= MapFlags::MAP_POPULATE;
        }
        let allowed = request.protection.flags();
        // SAFETY: our caller answers for MAP_FIXED. Without it, mmap changes no mapping there is.
        let start = unsafe {
            match fd {
                Some(fd) => mman::mmap(address, mapped, allowed, flags, fd, offset),
                None => mman::mmap_anonymous(address, mapped, allowed, flags),
            }
        }?;
        // SAFETY: `lead` is less than `mapped`, so this stays inside what was just mapped.
        let start = unsafe { start.cast::<u8>().add(window.lead) };
        let (len, protection) = (window.len, request.protection);
        let owner = Owner::Ours(Pages { start, len });
        Ok(Memory { watch: None, owner, start, len, protection })
    }

    /// Has missing pages replaced by zeros when they are touched in place.
    pub fn guard(&mut self) -> Result<()> {
        let start = self.pages().0.addr();
        // SAFETY: the pages are ours until `watch` is dropped, which is before they are unmapped;
        // only this file could map something else there, and does not. No reference to their
        // bytes exists.
        self.watch = Some(unsafe { watch(start, self.pages().1, self.protection) }?);
        Ok(())
    }

    /// The same, by a watch that was there before the mapping.
    pub fn guarded_by(self, watch: Option<FileWatch>) -> Memory {
        Memory { watch, ..self }
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
        self.start
    }

    /// How many bytes the user sees.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
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
        match (&self.owner, wait) {
            (Owner::Memmap2(raw), true) => raw.flush_range(offset, len).map_err(errno),
            (Owner::Memmap2(raw), false) => raw.flush_async_range(offset, len).map_err(errno),
            (Owner::Ours(_), _) => {
                let how = if wait { MsFlags::MS_SYNC } else { MsFlags::MS_ASYNC };
                let (start, len) = self.pages_of(offset, len);
                // SAFETY: msync reads pages that are ours, and changes none.
                unsafe { mman::msync(start.cast(), len, how) }
            }
        }
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
        mem::forget(self.owner);
        pages
    }

    /// The start of the first page, and the number of bytes from there on.
    fn pages(&self) -> (NonNull<u8>, usize) {
        self.pages_of(0, self.len())
    }

    /// The same for a part that is inside.
    fn pages_of(&self, offset: usize, len: usize) -> (NonNull<u8>, usize) {
        debug_assert!(offset <= self.len() && len <= self.len() - offset);
        // SAFETY: the offset is inside; and the start of a page that holds a byte of ours is ours.
        let first = unsafe { self.start().add(offset) };
        let lead = PageSize::system().offset_in_page(first.addr().get());
        // SAFETY: as above.
        (unsafe { first.sub(lead) }, lead + len)
    }
}

/// Watches the pages that `len` bytes from `start` on are in. `start` is the first byte of a page.
///
/// # Safety
///
/// As for `segv_guard::Guard::watch_file`: from when something is mapped there until the watch is
/// dropped, it is the caller's, and nobody has a reference to its bytes.
pub(crate) unsafe fn watch(
    start: NonZeroUsize,
    len: usize,
    protection: Protection,
) -> Result<FileWatch> {
    let guard = segv_guard::install()?;
    let whole_pages = len.next_multiple_of(PageSize::system().bytes());
    // SAFETY: the caller's promise; the last page is mapped whole.
    unsafe { guard.watch_file(start.get(), whole_pages, protection.flags()) }
}

fn errno(error: std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw)
}

impl Drop for Pages {
    fn drop(&mut self) {
        let lead = PageSize::system().offset_in_page(self.start.addr().get());
        // SAFETY: these pages are ours, and nothing refers to them any more. What munmap could
        // answer, nobody could hear; `unmap` is there for those who want to.
        unsafe {
            let _ = mman::munmap(self.start.sub(lead).cast(), lead + self.len);
        }
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
