//! The two regions of a snapshot, and a state for each page.

use std::sync::atomic::{AtomicU8, Ordering, fence};
use std::thread;

use ipc_common::Result;

use super::protocol::{self, FREE, Mark, OPENING, SAVED};
use crate::fault::{Access, Cause, Fault};
use crate::region::{Protection, Region};
use crate::sys;
use crate::table::{Answer, OnFault};

pub(super) struct State {
    pub(super) memory: Region,
    /// Where pages are saved, each at its own place. What is not saved takes no memory.
    store: Region,
    marks: Box<[AtomicU8]>,
}

impl Mark for AtomicU8 {
    fn load(&self, order: Ordering) -> u8 {
        self.load(order)
    }

    fn store(&self, state: u8, order: Ordering) {
        self.store(state, order);
    }

    fn change(&self, from: u8, to: u8, success: Ordering) -> bool {
        self.compare_exchange(from, to, success, Ordering::Relaxed).is_ok()
    }

    fn fence(&self, order: Ordering) {
        fence(order);
    }
}

impl State {
    pub(super) fn new(memory: Region, store: Region) -> State {
        let marks = (0..memory.pages()).map(|_| AtomicU8::new(FREE)).collect();
        State { memory, store, marks }
    }

    /// All pages in one call: it leaves the memory one mapping, so that none is ever missing for
    /// it.
    fn protect_all(&self, protection: Protection) -> nix::Result<()> {
        self.memory.try_protect(0..self.memory.pages(), protection)
    }

    /// Begins a snapshot. Whoever writes meanwhile waits in the handler until all are SHARED.
    pub(super) fn arm(&self) -> nix::Result<()> {
        let mut result = Ok(());
        protocol::arm(&self.marks, thread::yield_now, || {
            result = self.protect_all(Protection::ReadOnly);
            result.is_ok()
        });
        result
    }

    /// Ends it.
    pub(super) fn disarm(&self) {
        protocol::disarm(&self.marks, thread::yield_now, || {
            self.store.discard();
            self.protect_all(Protection::Open).is_ok()
        });
    }

    /// Copies out of one page of the snapshot.
    pub(super) fn read(&self, page: usize, offset: usize, into: &mut [u8]) -> Result<()> {
        // Into the same buffer twice, if need be.
        let into = std::cell::RefCell::new(into);
        let copy = |from: &Region| from.view().read(offset, &mut into.borrow_mut());
        protocol::read(&self.marks[page], || copy(&self.memory), || copy(&self.store))
    }

    pub(super) fn saved(&self) -> usize {
        let is_saved =
            |mark: &&AtomicU8| matches!(Mark::load(*mark, Ordering::Relaxed), OPENING | SAVED);
        self.marks.iter().filter(is_saved).count()
    }

    fn save(&self, page: usize) {
        self.memory.copy_page_to(page, &self.store);
    }

    /// Opening one page cuts a mapping in up to three, and `vm.max_map_count` may not allow that.
    /// Opening all of them leaves one mapping, which it always does; they are saved first. The
    /// caller has a page in hand, so that no snapshot begins or ends meanwhile.
    #[cold]
    fn open_all(&self) -> Answer {
        if !protocol::save_all(&self.marks, |page| self.save(page), sys::give_way) {
            return Answer::Retry;
        }
        match self.protect_all(Protection::Open) {
            Ok(()) => Answer::Mended,
            Err(_) => Answer::NotMine,
        }
    }
}

// SAFETY: atomics, copies between two regions that are seen by views only, mprotect(2) and
// sched_yield(2).
unsafe impl OnFault for State {
    fn on_fault(&self, fault: &Fault) -> Answer {
        if fault.cause() != Cause::Protection || fault.access() == Access::Execute {
            return Answer::NotMine;
        }
        let page = fault.address().and_then(|address| self.memory.page_of(address));
        let Some((page, mark)) = page.and_then(|page| Some((page, self.marks.get(page)?))) else {
            return Answer::NotMine;
        };
        if !protocol::claim_saved(mark, || self.save(page)) {
            return Answer::Retry;
        }
        let opened = self.memory.try_protect(page..page + 1, Protection::Open).is_ok();
        let answer = if opened { Answer::Mended } else { self.open_all() };
        protocol::settle(mark);
        answer
    }
}
