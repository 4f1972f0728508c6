//! What the handler does: save the page, then open it.

use std::sync::atomic::{
    AtomicU8,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

use super::state::{FREE, HELD, OPENING, SAVED, SAVING, SHARED, State};
use crate::fault::{Access, Cause, Fault};
use crate::region::Protection;
use crate::sys;
use crate::table::{Answer, OnFault};

// SAFETY: atomics, copies between two regions that are seen by views only, mprotect(2) and
// sched_yield(2).
unsafe impl OnFault for State {
    fn on_fault(&self, fault: &Fault) -> Answer {
        if fault.cause() != Cause::Protection || fault.access() == Access::Execute {
            return Answer::NotMine;
        }
        let page = fault.address().and_then(|address| self.memory.page_of(address));
        let Some((page, state)) = page.and_then(|page| Some((page, self.pages.get(page)?))) else {
            return Answer::NotMine;
        };
        if !self.save(page, state) {
            // Somebody else has it in hand, or the snapshot has ended: look again.
            if state.load(Relaxed) == HELD {
                sys::give_way();
            }
            return Answer::Retry;
        }
        let opened = self.memory.try_protect(page..page + 1, Protection::Open).is_ok();
        let answer = if opened { Answer::Mended } else { self.open_all() };
        state.store(SAVED, Release);
        answer
    }
}

impl State {
    /// Claims a page and saves it, if it is not yet. Whether it is OPENING now, by us.
    fn save(&self, page: usize, state: &AtomicU8) -> bool {
        if state.compare_exchange(SAVED, OPENING, Acquire, Relaxed).is_ok() {
            return true;
        }
        if state.compare_exchange(SHARED, SAVING, Acquire, Relaxed).is_err() {
            return false;
        }
        self.memory.copy_page_to(page, &self.store);
        // Release: the copy is there before anybody looks for it. And the fence: whoever sees a
        // byte that is written once the page is open, sees that it was saved.
        state.store(OPENING, Release);
        fence(Release);
        true
    }

    /// Opening one page cuts a mapping in up to three, and `vm.max_map_count` may not allow that.
    /// Opening all of them leaves one mapping, which it always does; but they have to be saved
    /// first. The caller has a page in hand, so that no snapshot begins or ends meanwhile.
    #[cold]
    fn open_all(&self) -> Answer {
        for (page, state) in self.pages.iter().enumerate() {
            loop {
                match state.load(Acquire) {
                    OPENING | SAVED => break,
                    // `arm` or `disarm` waits for the page that we have: let it.
                    FREE | HELD => {
                        sys::give_way();
                        return Answer::Retry;
                    }
                    SHARED if self.save(page, state) => state.store(SAVED, Release),
                    _ => sys::give_way(),
                }
            }
        }
        match self.memory.try_protect(0..self.memory.pages(), Protection::Open) {
            Ok(()) => Answer::Mended,
            Err(_) => Answer::NotMine,
        }
    }
}
