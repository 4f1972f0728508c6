//! Write tracking by this crate's handler.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ipc_common::{Error, Result};

use super::protocol::{self, CLEAN, Mark};
use super::push;
use crate::fault::{Access, Cause, Fault};
use crate::handler::Guard;
use crate::region::{Protection, Region};
use crate::sys;
use crate::table::{Answer, OnFault, Registration, Turn};

pub(super) struct Faults {
    /// Before `state`: no handler may run once that is gone.
    _range: Registration,
    state: Arc<State>,
    /// One collector at a time.
    collecting: Mutex<()>,
}

struct State {
    region: Region,
    marks: Box<[AtomicU8]>,
    /// A handler is opening all pages.
    seizing: AtomicBool,
}

impl Faults {
    pub(super) fn new(guard: Guard, region: Region) -> Result<Faults> {
        region.protect(0..region.pages(), Protection::ReadOnly)?;
        let marks = (0..region.pages()).map(|_| AtomicU8::new(CLEAN)).collect();
        let state = Arc::new(State { region, marks, seizing: AtomicBool::new(false) });
        let (start, len) = (state.region.address(), state.region.len());
        let range = guard.register(start, len, Turn::BeforeCopies, state.clone())?;
        Ok(Faults { _range: range, state, collecting: Mutex::new(()) })
    }

    pub(super) fn region(&self) -> &Region {
        &self.state.region
    }

    pub(super) fn take(&self) -> Result<Vec<Range<usize>>> {
        let State { region, marks, .. } = &*self.state;
        let _one_at_a_time = self.collecting.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut written, mut failed) = (Vec::new(), None);
        // All pages, in one call: it leaves the region one mapping, so none is ever missing for it.
        let close = || {
            let closed = region.try_protect(0..region.pages(), Protection::ReadOnly);
            failed = closed.err();
            closed.is_ok()
        };
        protocol::collect(marks, |page| push(&mut written, page), close);
        match failed {
            None => Ok(written),
            Some(errno) => {
                Err(Error::new("mprotect", errno, format!("{} pages of a region", region.pages())))
            }
        }
    }
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
}

// SAFETY: atomics, mprotect(2) and sched_yield(2), on a region that is seen by views only.
unsafe impl OnFault for State {
    fn on_fault(&self, fault: &Fault) -> Answer {
        // A processor that does not tell reading from writing tells enough: reading is allowed.
        if fault.cause() != Cause::Protection || fault.access() == Access::Execute {
            return Answer::NotMine;
        }
        let Some(page) = fault.address().and_then(|address| self.region.page_of(address)) else {
            return Answer::NotMine;
        };
        let Some(mark) = self.marks.get(page) else { return Answer::NotMine };
        let open = || self.region.try_protect(page..page + 1, Protection::Open).is_ok();
        match protocol::write_fault(mark, open) {
            protocol::Fault::Opened => Answer::Mended,
            protocol::Fault::Elsewhere => Answer::Retry,
            protocol::Fault::NoRoom => self.open_all(),
        }
    }
}

impl State {
    /// Opening one page cuts a mapping in up to three, and `vm.max_map_count` may not allow that.
    /// Opening all of them leaves one mapping, which it always does. All then count as written.
    #[cold]
    fn open_all(&self) -> Answer {
        let (acquire, relaxed) = (Ordering::Acquire, Ordering::Relaxed);
        if self.seizing.compare_exchange(false, true, acquire, relaxed).is_err() {
            // Another handler is at it. It must not find our page in our hands meanwhile.
            sys::give_way();
            return Answer::Retry;
        }
        let open = || self.region.try_protect(0..self.region.pages(), Protection::Open).is_ok();
        let opened = protocol::open_all(&self.marks, sys::give_way, open);
        self.seizing.store(false, Ordering::Release);
        if opened { Answer::Mended } else { Answer::NotMine }
    }
}
