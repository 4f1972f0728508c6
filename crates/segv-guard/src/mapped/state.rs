//! A watched mapping as the handler needs it.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use ipc_common::PageSize;
use nix::sys::mman::ProtFlags;

use crate::fault::{Access, Cause, Fault};
use crate::sys;

#[derive(Debug)]
pub(super) struct State {
    /// All pages from here on are zeros already.
    zeros_from: AtomicUsize,
    protection: AtomicI32,
    pub(super) replaced: AtomicBool,
}

impl State {
    /// Of no mapping yet.
    pub(super) const fn new() -> State {
        State {
            zeros_from: AtomicUsize::new(usize::MAX),
            protection: AtomicI32::new(0),
            replaced: AtomicBool::new(false),
        }
    }

    /// Of a mapping of which nothing is replaced. The caller sees to it that whoever uses this for
    /// that mapping sees these stores.
    #[inline]
    pub(super) fn begin(&self, protection: ProtFlags) {
        self.zeros_from.store(usize::MAX, Ordering::Relaxed);
        self.replaced.store(false, Ordering::Relaxed);
        self.set_protection(protection);
    }

    /// The zeros get the same, but are never executable.
    #[inline]
    pub(super) fn set_protection(&self, protection: ProtFlags) {
        let protection = (protection - ProtFlags::PROT_EXEC).bits();
        self.protection.store(protection, Ordering::Relaxed);
    }

    /// Whether the instruction that made this fault, in a mapping that ends at `end`, may run again.
    ///
    /// Async-signal-safe: it loads and stores atomics (the page size is one, since `watch_file` has
    /// asked for it) and makes one system call.
    pub(super) fn mends(&self, fault: &Fault, address: usize, end: usize) -> bool {
        // Zeros are no code.
        if fault.cause() != Cause::PastEndOfFile || fault.access() == Access::Execute {
            return false;
        }
        let page = PageSize::system().round_down(address);
        let zeros_from = self.zeros_from.load(Ordering::Acquire);
        // Another thread's handler was faster. What it put there may be in use already.
        if page >= zeros_from {
            return true;
        }
        // First the flag: whoever sees a zero has to see it, too.
        self.replaced.store(true, Ordering::SeqCst);
        self.replace(page, zeros_from.min(end))
    }

    /// Whether zeros are at `page` now, and from there on. Cutting off the end of a mapping is
    /// possible up to the very limit of mappings; beyond it, mmap(2) does nothing at all.
    fn replace(&self, page: usize, end: usize) -> bool {
        let protection = self.protection.load(Ordering::Relaxed);
        // SAFETY: pages of the range, whose owner has allowed it by the promise of `watch_file`:
        // no reference names their bytes.
        let done = unsafe { sys::map_zeros(page, end - page, protection) }.is_ok();
        if done {
            self.zeros_from.fetch_min(page, Ordering::Release);
        }
        done
    }
}
