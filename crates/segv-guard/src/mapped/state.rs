//! A watched mapping as the handler needs it.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use ipc_common::PageSize;
use nix::sys::mman::ProtFlags;

use super::zeros::{self, Put, Zeros};
use crate::fault::{Access, Cause, Fault};
use crate::sys;

#[derive(Debug)]
pub(super) struct State {
    /// All pages from here on are zeros already.
    zeros_from: AtomicUsize,
    /// The process in which a handler is putting zeros there; 0 if there is none.
    replacing: AtomicI32,
    protection: AtomicI32,
    pub(super) replaced: AtomicBool,
}

impl State {
    /// Of no mapping yet.
    pub(super) const fn new() -> State {
        State {
            zeros_from: AtomicUsize::new(usize::MAX),
            replacing: AtomicI32::new(0),
            protection: AtomicI32::new(0),
            replaced: AtomicBool::new(false),
        }
    }

    /// Of a mapping of which nothing is replaced. The caller sees to it that whoever uses this for
    /// that mapping sees these stores.
    #[inline]
    pub(super) fn begin(&self, protection: ProtFlags) {
        self.zeros_from.store(usize::MAX, Ordering::Relaxed);
        self.replacing.store(0, Ordering::Relaxed);
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
    /// asked for it) and makes system calls.
    pub(super) fn mends(&self, fault: &Fault, address: usize, end: usize) -> bool {
        // Zeros are no code.
        if fault.cause() != Cause::PastEndOfFile || fault.access() == Access::Execute {
            return false;
        }
        let page = PageSize::system().round_down(address);
        if zeros::are_at(self, page) {
            return true;
        }
        // A handler of the program's own that came now, and touched a missing page as well, would
        // wait for ever for the claim of the thread that it has interrupted.
        let mask = sys::block_signals();
        let put = zeros::put(self, page, end, |up_to| self.map(page, up_to));
        sys::restore_signals(&mask);
        if put == Put::Elsewhere {
            sys::give_way();
        }
        put != Put::Refused
    }

    /// Cutting off the end of a mapping is possible up to the very limit of mappings; beyond it,
    /// mmap(2) does nothing at all.
    fn map(&self, page: usize, end: usize) -> bool {
        // First the flag: whoever sees a zero has to see it, too.
        self.replaced.store(true, Ordering::SeqCst);
        // And whoever stores into the zeros. A processor may look at the flag before a store that
        // comes first in the program has left it, unless there is a full barrier in between. That
        // would cost each of them more than the store; so they are all given one here, once.
        sys::barrier_for_all_threads();
        let protection = self.protection.load(Ordering::Relaxed);
        // SAFETY: pages of the range, whose owner has allowed it by the promise of `watch_file`:
        // no reference names their bytes.
        unsafe { sys::map_zeros(page, end - page, protection) }.is_ok()
    }
}

impl Zeros for State {
    fn begin(&self, order: Ordering) -> usize {
        self.zeros_from.load(order)
    }

    fn set_begin(&self, page: usize, order: Ordering) {
        self.zeros_from.store(page, order);
    }

    /// A child made by fork(2) while another thread of its parent had the claim has a copy of it,
    /// but not the thread: it takes it over. (Should that thread just have put its zeros there, they
    /// are replaced by others; the flag is up, and nobody takes what they held for done.)
    fn claim(&self, success: Ordering) -> bool {
        let (process, holder) = (sys::process_id(), self.replacing.load(Ordering::Relaxed));
        let claim =
            || self.replacing.compare_exchange(holder, process, success, Ordering::Relaxed).is_ok();
        holder != process && claim()
    }

    fn let_go(&self, order: Ordering) {
        self.replacing.store(0, order);
    }
}
