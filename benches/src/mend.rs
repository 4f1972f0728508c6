//! Fault, mend, return: pages of ours that are closed, and opened by our handler at a store.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use segv_guard::region::{Protection, Region};
use segv_guard::table::{Answer, OnFault, Registration, Turn};
use segv_guard::{Fault, Guard};

use crate::c::Pages;
use crate::turns::time;

struct Mend {
    region: Region,
    start: usize,
}

// SAFETY: mprotect(2), which does no more than that unless it fails; and then the bench is over.
// The region is seen by views only.
unsafe impl OnFault for Mend {
    fn on_fault(&self, fault: &Fault) -> Answer {
        let Some(address) = fault.address() else { return Answer::NotMine };
        let page = (address - self.start) / self.region.page_size().bytes();
        match self.region.protect(page..page + 1, Protection::Open) {
            Ok(()) => Answer::Mended,
            Err(_) => Answer::NotMine,
        }
    }
}

/// Pages, and our handler for them.
pub struct Mended {
    mend: Arc<Mend>,
    _range: Registration,
}

impl Mended {
    /// So many, touched already.
    pub fn new(guard: Guard, pages: usize) -> Mended {
        let page = ipc_common::PageSize::system().bytes();
        let region = Region::new(pages * page).expect("there is memory");
        // The first touch of all would be a page fault besides.
        region.view().fill(0, region.len(), 1).expect("it is open");
        let (start, len) = (region.view().as_ptr().addr(), region.len());
        let mend = Arc::new(Mend { region, start });
        let range = guard.register(start, len, Turn::BeforeCopies, mend.clone());
        Mended { mend, _range: range.expect("the range is free") }
    }

    /// The same pages, for the C side.
    pub fn pages(&self) -> Pages {
        let region = &self.mend.region;
        Pages {
            start: region.view().as_ptr().cast_mut(),
            pages: region.pages(),
            page: region.page_size().bytes(),
        }
    }

    /// Read-only from now on.
    pub fn close(&self) {
        let region = &self.mend.region;
        region.protect(0..region.pages(), Protection::ReadOnly).expect("they are its own pages");
    }

    /// Stores a word there.
    pub fn store(&self, offset: usize) {
        let word = self.mend.region.view().atomic_u32(offset).expect("it is in the region");
        word.store(1, Relaxed);
    }

    /// A fault for each page in turn. Closing them again is not timed.
    pub fn walk(&self, rounds: u32) -> Duration {
        let Pages { pages, page, .. } = self.pages();
        let mut total = Duration::ZERO;
        for _ in 0..rounds {
            self.close();
            let before = Instant::now();
            for offset in (0..pages * page).step_by(page) {
                self.store(offset);
            }
            total += before.elapsed();
        }
        total
    }

    /// The one page again and again; closing it is timed.
    pub fn again(&self, rounds: u32) -> Duration {
        let mut one = || {
            self.close();
            self.store(0);
        };
        time(&mut one, rounds)
    }
}
