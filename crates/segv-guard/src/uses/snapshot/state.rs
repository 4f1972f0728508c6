//! A state for each page, and what the owner of the snapshot does with it.
//!
//! ```text
//!    FREE ──► HELD ──► SHARED ──► SAVING ──► OPENING ──► SAVED ──► HELD ──► FREE
//!    open      arm()   closed     copied     opened      open       disarm() open
//! ```
//!
//! As in write tracking: **a page is never open while it is SHARED**, and a page that somebody has
//! in hand (HELD, SAVING, OPENING) is changed by nobody else.

use std::sync::atomic::{
    AtomicU8,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};
use std::thread;

use ipc_common::Result;

use crate::region::{Protection, Region};

/// There is no snapshot; the page is open.
pub(super) const FREE: u8 = 0;
/// `arm` or `disarm` has it in hand.
pub(super) const HELD: u8 = 1;
/// The snapshot's page is the memory's own, which is read-only.
pub(super) const SHARED: u8 = 2;
/// A handler copies it.
pub(super) const SAVING: u8 = 3;
/// It was copied; a handler opens it.
pub(super) const OPENING: u8 = 4;
/// It was copied. Open, unless there was no mapping left for that: then the next fault opens it.
pub(super) const SAVED: u8 = 5;

pub(super) struct State {
    pub(super) memory: Region,
    /// Where pages are saved, each at its own place. What is not saved takes no memory.
    pub(super) store: Region,
    pub(super) pages: Box<[AtomicU8]>,
}

impl State {
    pub(super) fn new(memory: Region, store: Region) -> State {
        let pages = (0..memory.pages()).map(|_| AtomicU8::new(FREE)).collect();
        State { memory, store, pages }
    }

    /// Begins a snapshot.
    pub(super) fn arm(&self) -> nix::Result<()> {
        self.hold_all();
        // All pages in one call, which leaves the region one mapping: none is ever missing for it.
        // Whoever writes meanwhile waits in the handler until all are SHARED.
        let closed = self.memory.try_protect(0..self.memory.pages(), Protection::ReadOnly);
        self.set_all(if closed.is_ok() { SHARED } else { FREE });
        closed
    }

    /// Ends it.
    pub(super) fn disarm(&self) {
        self.hold_all();
        // It cannot fail: it takes no mapping. If it did, pages would stay SAVED and closed, and
        // the next fault would open them.
        let opened = self.memory.try_protect(0..self.memory.pages(), Protection::Open).is_ok();
        self.store.discard();
        self.set_all(if opened { FREE } else { SAVED });
    }

    fn hold_all(&self) {
        for page in &self.pages {
            let free = |state| matches!(state, FREE | SHARED | SAVED).then_some(HELD);
            // A handler keeps a page for a copy and an mprotect, and waits for nothing.
            while page.fetch_update(Acquire, Relaxed, free).is_err() {
                thread::yield_now();
            }
        }
    }

    fn set_all(&self, state: u8) {
        self.pages.iter().for_each(|page| page.store(state, Release));
    }

    /// Copies out of one page of the snapshot.
    pub(super) fn read(&self, page: usize, offset: usize, into: &mut [u8]) -> Result<()> {
        let still_shared = |order| matches!(self.pages[page].load(order), SHARED | SAVING);
        if still_shared(Acquire) {
            self.memory.view().read(offset, into)?;
            // If the copy saw a byte that was written since, the page was opened before, and this
            // makes us see it.
            fence(Acquire);
            if still_shared(Relaxed) {
                return Ok(());
            }
        }
        // The Acquire load, or the fence, that has told us so makes us see the saved bytes.
        fence(Acquire);
        self.store.view().read(offset, into)
    }

    pub(super) fn saved(&self) -> usize {
        self.pages.iter().filter(|page| matches!(page.load(Relaxed), OPENING | SAVED)).count()
    }
}
