//! A mapped file that is cut shorter, for those who load and store in place.
//!
//! A copy has a net: it returns the fault. A load, a store or an atomic has nowhere to return it
//! to. So the handler gives the instruction something to work on, and says so where the owner of
//! the mapping will look:
//!
//! ```text
//!   the mapping     | page 0 | page 1 | page 2 | page 3 |
//!   the file        | page 0 | pa|                          cut in page 1 by somebody
//!                                          ▲
//!                              an atomic add: SIGBUS
//!   then            | page 0 | page 1 | zeros  | zeros  |   and `replaced` is true
//! ```
//!
//! The zeros are nobody's file: what is stored there is lost, and what is loaded was never written.
//! Nothing that was done since may be taken for done. Hence the flag, which is set *before* the
//! zeros are there, and never taken back: the mapping is spoilt, and its owner maps the file anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use ipc_common::{PageSize, Result};
use nix::sys::mman::ProtFlags;

use crate::fault::{Access, Cause, Fault};
use crate::handler::Guard;
use crate::sys;
use crate::table::{Answer, OnFault, Registration, Turn};

/// A mapping of a file whose missing pages are replaced by zeros when they are touched in place,
/// until dropped. Made by [`Guard::watch_file`].
#[derive(Debug)]
#[must_use = "the mapping is watched until this is dropped"]
pub struct FileWatch {
    mapped: Arc<Mapped>,
    _registration: Registration,
}

impl FileWatch {
    /// Set once pages have been replaced, and before: for
    /// [`ReadView::watched`](ipc_common::view::ReadView::watched).
    #[inline]
    pub fn replaced(&self) -> &AtomicBool {
        &self.mapped.replaced
    }

    /// To be called when the protection of the mapping has changed: the zeros get the same (but
    /// are never executable).
    pub fn set_protection(&self, protection: ProtFlags) {
        self.mapped.protection.store(of_zeros(protection), Ordering::Relaxed);
    }
}

impl Guard {
    /// From now on, whoever loads or stores past the end of the file, within the `len` bytes from
    /// `start` on, gets zeros instead of SIGBUS; and [`FileWatch::replaced`] is true. Copies of
    /// views and probes still get their error, and replace nothing.
    ///
    /// Whatever page the kernel cannot deliver is treated alike: that the disk failed, or a tmpfs is
    /// full, is the same signal and the same code. Executing past the end stays deadly; so does
    /// touching it when the process has more mappings than `vm.max_map_count`, where mmap(2) does
    /// not even replace one.
    ///
    /// # Errors
    ///
    /// Those of [`Guard::register`]: `EINVAL` for a range that is empty or not whole pages, `EEXIST`
    /// for one that overlaps another.
    ///
    /// # Safety
    ///
    /// Until the watch is dropped:
    /// - the whole range is one mapping of a file, and the caller's own: nobody else in this process
    ///   unmaps it or maps anything else there;
    /// - there is no Rust reference to plain bytes of it, only views and atomics: its bytes turn to
    ///   zeros at any moment.
    ///
    /// ```
    /// use nix::sys::mman::{MapFlags, ProtFlags, mmap};
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// # use nix::sys::memfd::{MFdFlags, memfd_create};
    /// # let file = std::fs::File::from(memfd_create("example", MFdFlags::empty())?);
    ///
    /// let (page, open) = (ipc_common::PageSize::system().bytes(), ProtFlags::PROT_READ | ProtFlags::PROT_WRITE);
    /// file.set_len(page as u64)?;
    /// // SAFETY: a new mapping at an address of the kernel's choice.
    /// let start = unsafe { mmap(None, page.try_into()?, open, MapFlags::MAP_SHARED, &file, 0)? };
    /// // SAFETY: nobody else knows of the mapping, and only the atomic below is in it.
    /// let watch = unsafe { segv_guard::install()?.watch_file(start.addr().get(), page, open)? };
    /// // SAFETY: mapped, aligned, and never unmapped here.
    /// let word = unsafe { start.cast::<AtomicU32>().as_ref() };
    ///
    /// word.store(7, Ordering::Relaxed);
    /// assert!(!watch.replaced().load(Ordering::Acquire));
    /// file.set_len(0)?; // somebody truncates the file
    /// assert_eq!(word.fetch_add(1, Ordering::Relaxed), 0); // not 7, and no SIGBUS
    /// assert!(watch.replaced().load(Ordering::Acquire));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub unsafe fn watch_file(
        self,
        start: usize,
        len: usize,
        protection: ProtFlags,
    ) -> Result<FileWatch> {
        let mapped = Arc::new(Mapped {
            end: start.saturating_add(len),
            zeros_from: AtomicUsize::new(usize::MAX),
            protection: AtomicI32::new(of_zeros(protection)),
            replaced: AtomicBool::new(false),
            page: PageSize::system(),
        });
        let registration = self.register(start, len, Turn::AfterCopies, mapped.clone())?;
        Ok(FileWatch { mapped, _registration: registration })
    }
}

fn of_zeros(protection: ProtFlags) -> i32 {
    (protection - ProtFlags::PROT_EXEC).bits()
}

/// What the handler needs.
#[derive(Debug)]
struct Mapped {
    end: usize,
    /// All pages from here on are zeros already.
    zeros_from: AtomicUsize,
    protection: AtomicI32,
    replaced: AtomicBool,
    /// The handler must not ask for it: the first call allocates nothing today, but who knows.
    page: PageSize,
}

// SAFETY: `on_fault` loads and stores atomics and makes one system call. What it maps takes
// the place of memory that, by the promise of `watch_file`, no reference names.
unsafe impl OnFault for Mapped {
    fn on_fault(&self, fault: &Fault) -> Answer {
        let Some(address) = fault.address() else { return Answer::NotMine };
        // Zeros are no code.
        if fault.cause() != Cause::PastEndOfFile || fault.access() == Access::Execute {
            return Answer::NotMine;
        }
        let page = address - self.page.offset_in_page(address);
        let zeros_from = self.zeros_from.load(Ordering::Acquire);
        // Another thread's handler was faster. What it put there may be in use already.
        if page >= zeros_from {
            return Answer::Retry;
        }
        // First the flag: whoever sees a zero has to see it, too.
        self.replaced.store(true, Ordering::SeqCst);
        if self.replace(page, zeros_from.min(self.end)) { Answer::Mended } else { Answer::NotMine }
    }
}

impl Mapped {
    /// Whether zeros are at `page` now, and from there on. Cutting off the end of a mapping is
    /// possible up to the very limit of mappings; beyond it, mmap(2) does nothing at all.
    fn replace(&self, page: usize, end: usize) -> bool {
        let protection = self.protection.load(Ordering::Relaxed);
        // SAFETY: pages of the range, whose owner has allowed it.
        let done = unsafe { sys::map_zeros(page, end - page, protection) }.is_ok();
        if done {
            self.zeros_from.fetch_min(page, Ordering::Release);
        }
        done
    }
}
