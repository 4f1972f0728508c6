//! What the pager's thread and the handlers share: the two mappings, and a word for each page.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use std::sync::{Mutex, PoisonError};

use ipc_common::{Errno, Error, PageSize, Result};

use super::here;
use crate::fault::{Access, Cause, Fault};
use crate::region::{Protection, Region};
use crate::sys;
use crate::table::{Answer, OnFault};

/// Nobody has touched the page. It is closed, like all that are not `FILLED`.
pub(super) const EMPTY: u32 = 0;
/// Somebody waits for it; it is in the list.
pub(super) const WANTED: u32 = 1;
/// It has its bytes, and is open.
pub(super) const FILLED: u32 = 2;
/// The last attempt failed.
pub(super) const FAILED: u32 = 3;

/// The end of the list.
const NONE: u32 = u32::MAX;

pub(super) struct State {
    /// What everybody sees.
    pub(super) window: Region,
    /// The same memory, always open: where the pager's thread writes.
    pub(super) back: Region,
    /// Each is also the futex of those who wait for the page.
    pub(super) pages: Box<[AtomicU32]>,
    /// The list of wanted pages, through `next`: any thread puts one in front, the pager's thread
    /// takes all. Since it never takes just one, no page can come back between look and change.
    first: AtomicU32,
    next: Box<[AtomicU32]>,
    /// Changes whenever there is something to do.
    bell: AtomicU32,
    pub(super) stop: AtomicBool,
    /// The process, and the thread that fills: neither may wait for it.
    process: i32,
    pub(super) server: AtomicI32,
    failures: Mutex<HashMap<usize, Error>>,
}

impl State {
    pub(super) fn new(bytes: usize) -> Result<State> {
        let failed =
            |call| move |errno| Error::new(call, errno, format!("a pager of {bytes} bytes"));
        let page = PageSize::system();
        let pages = page.pages(bytes);
        // Both for the list's links and for the file's length.
        let count = u32::try_from(pages).ok().filter(|count| *count < NONE);
        let len = count.and_then(|_| pages.checked_mul(page.bytes()));
        let Some(len) = len.and_then(|len| i64::try_from(len).ok()) else {
            return Err(Error::refused("Pager::new", Errno::EFBIG, format!("{bytes} bytes"))
                .with_remedy("a pager has no more than 2^32 - 2 pages; ask for less"));
        };
        let file = sys::memory_file(len).map_err(failed("memfd_create"))?;
        let map = || {
            Region::map(bytes, |start, len| {
                // SAFETY: over the region's own addresses, of which nobody knows yet.
                unsafe { sys::map_shared(start.cast(), len, &file) }.map_err(failed("mmap"))
            })
        };
        let (window, back) = (map()?, map()?);
        window.protect(0..pages, Protection::Closed)?;
        let words = |value| (0..pages).map(|_| AtomicU32::new(value)).collect();
        Ok(State {
            window,
            back,
            pages: words(EMPTY),
            first: AtomicU32::new(NONE),
            next: words(NONE),
            bell: AtomicU32::new(0),
            stop: AtomicBool::new(false),
            process: sys::process_id(),
            server: AtomicI32::new(0),
            failures: Mutex::default(),
        })
    }

    /// Tells the pager's thread that there is something to do. Async-signal-safe.
    pub(super) fn ring(&self) {
        self.bell.fetch_add(1, Release);
        sys::futex_wake(&self.bell);
    }

    /// Puts a page in front of the list. Async-signal-safe; for who has just made it `WANTED`.
    fn ask_for(&self, page: usize) {
        let (Some(next), Ok(number)) = (self.next.get(page), u32::try_from(page)) else { return };
        let mut first = self.first.load(Relaxed);
        loop {
            next.store(first, Relaxed);
            // Release: who takes the list sees the link.
            match self.first.compare_exchange_weak(first, number, Release, Relaxed) {
                Ok(_) => return self.ring(),
                Err(now) => first = now,
            }
        }
    }

    /// All wanted pages, those that have waited longest first; sleeps while there are none. Empty:
    /// it is time to stop.
    pub(super) fn wanted(&self) -> Vec<usize> {
        loop {
            let rung = self.bell.load(Acquire);
            let mut page = self.first.swap(NONE, Acquire);
            if page == NONE {
                if self.stop.load(Acquire) {
                    return Vec::new();
                }
                // If it rings in between, `bell` is another number, and this returns at once.
                sys::futex_wait(&self.bell, rung);
                continue;
            }
            let mut pages = Vec::new();
            while page != NONE {
                pages.push(page as usize);
                page = self.next[page as usize].load(Relaxed);
            }
            pages.reverse();
            return pages;
        }
    }

    /// Ends the wait for a page.
    pub(super) fn settle(&self, page: usize, state: u32) {
        // Release: the bytes are there, and the page is open, before anybody is told.
        self.pages[page].store(state, Release);
        sys::futex_wake(&self.pages[page]);
    }

    pub(super) fn is_filled(&self, page: usize) -> bool {
        self.pages[page].load(Acquire) == FILLED
    }

    pub(super) fn fail(&self, page: usize, error: Error) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).insert(page, error);
        self.settle(page, FAILED);
    }

    /// Why the last attempt at the first of these pages that has failed did, and is not made good.
    pub(super) fn failure(&self, pages: Range<usize>) -> Option<Error> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        pages.filter(|page| failures.contains_key(page)).find_map(|page| {
            let is_filled = self.pages.get(page)?.load(Acquire) == FILLED;
            failures.get(&page).filter(|_| !is_filled).cloned()
        })
    }
}

// SAFETY: atomics, futex(2), getpid(2) and gettid(2).
unsafe impl OnFault for State {
    fn on_fault(&self, fault: &Fault) -> Answer {
        if fault.cause() != Cause::Protection || fault.access() == Access::Execute {
            return Answer::NotMine;
        }
        let page = fault.address().and_then(|address| self.window.page_of(address));
        let Some((page, state)) = page.and_then(|page| Some((page, self.pages.get(page)?))) else {
            return Answer::NotMine;
        };
        // A child has no such thread; and the thread itself would wait for itself.
        let (process, thread) = here();
        let nobody_would_come = process != self.process || thread == self.server.load(Relaxed);
        let (mut asked, mut waited) = (false, false);
        loop {
            match state.load(Acquire) {
                FILLED if asked => return Answer::Mended,
                FILLED => return Answer::Retry,
                _ if nobody_would_come => return Answer::NotMine,
                FAILED if waited => return Answer::NotMine,
                WANTED => {
                    sys::futex_wait(state, WANTED);
                    waited = true;
                }
                before => {
                    if state.compare_exchange(before, WANTED, AcqRel, Relaxed).is_ok() {
                        self.ask_for(page);
                        asked = true;
                    }
                }
            }
        }
    }
}
