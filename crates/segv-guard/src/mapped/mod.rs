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
//!
//! # Layout
//!
//! `state` is a mapping as the handler needs it; `places` keeps them where a handler finds them, and
//! where a new one is put without allocating; `protocol` is the order of loads and stores by which
//! handlers look at a place that other threads take and give back; `zeros` that by which one of
//! several handlers replaces the missing pages.

mod places;
mod protocol;
mod state;
mod zeros;

use std::sync::atomic::{AtomicBool, Ordering, fence};

use ipc_common::Result;
use nix::sys::mman::ProtFlags;

use crate::fault::Fault;
use crate::handler::Guard;
use crate::table;
use places::Taken;
pub(crate) use places::overlapping;
use zeros::Flag;

/// A mapping of a file whose missing pages are replaced by zeros when they are touched in place,
/// until dropped. Made by [`Guard::watch_file`].
#[derive(Debug)]
#[must_use = "the mapping is watched until this is dropped"]
pub struct FileWatch(Taken);

impl FileWatch {
    /// Set once pages have been replaced, and before: for
    /// [`ReadView::watched`](ipc_common::view::ReadView::watched). Who looks at it himself calls
    /// [`FileWatch::is_replaced`].
    #[inline]
    pub fn replaced(&self) -> &AtomicBool {
        &self.0.state().replaced
    }

    /// Whether pages have been replaced. To be asked *after* the load, store or atomic that is in
    /// question: if it answers no, that was the file's.
    ///
    /// An Acquire load of the flag would not do: a processor that does not keep loads in order
    /// (aarch64) may do it before the access. Here is a fence between the two.
    #[inline]
    pub fn is_replaced(&self) -> bool {
        zeros::were_there(self.replaced())
    }

    /// To be called when the protection of the mapping has changed: the zeros get the same (but
    /// are never executable).
    pub fn set_protection(&self, protection: ProtFlags) {
        self.0.state().set_protection(protection);
    }
}

impl Flag for AtomicBool {
    #[inline]
    fn fence(&self, order: Ordering) {
        fence(order);
    }

    #[inline]
    fn load(&self, order: Ordering) -> bool {
        self.load(order)
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
    /// After fork(2), the child watches the same ranges, and what is replaced there is replaced there
    /// only. If the parent had several threads then, the child must neither watch any more nor drop a
    /// watch: as with any lock, another thread may have been at it.
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
    /// assert!(!watch.is_replaced());
    /// file.set_len(0)?; // somebody truncates the file
    /// assert_eq!(word.fetch_add(1, Ordering::Relaxed), 0); // not 7, and no SIGBUS
    /// assert!(watch.is_replaced());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub unsafe fn watch_file(
        self,
        start: usize,
        len: usize,
        protection: ProtFlags,
    ) -> Result<FileWatch> {
        let end = table::checked_end(start, len)?;
        table::if_free(start, end, || FileWatch(Taken::new(start, end, protection)))
    }
}

/// Whether a fault that nobody else has an answer to is that of a watched mapping, so that the
/// instruction may run again. For the signal handler.
pub(crate) fn mends(fault: &Fault) -> bool {
    let Some(address) = fault.address() else { return false };
    places::answer(address, |state, end| state.mends(fault, address, end)).unwrap_or(false)
}
