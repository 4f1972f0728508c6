//! The order in which pages are marked, opened, collected and closed, run by loom in every order
//! of events. `write_fault`, `collect` and `open_all` are the shipped source; the
//! page is a mutex, since the kernel lets no store fall between the two sides of an mprotect(2).
//!
//! A handler that finds its page in other hands sleeps here until that has changed, where the
//! shipped one lets the instruction fault again: loom would follow the endless run in which only
//! those who wait are ever scheduled.
//!
//! What is proved: after every collection, whoever looks at the pages that it reported (or that an
//! earlier one did) has seen every write that was over before it began; and after the last one,
//! every write.
//!
//! Each twin does it as one might, and loom has to find the write that is lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice::from_ref;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};

use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use super::written_protocol::{
    CLEAN, Fault, Mark, OPENING, TAKING, WRITTEN, collect, open_all, write_fault,
};

struct Page {
    mark: AtomicU8,
    memory: Mutex<Memory>,
    /// A mapping is missing for opening the page by itself.
    no_room: AtomicBool,
    seizing: AtomicBool,
    queue: Mutex<()>,
    changed: Condvar,
    /// How many writes each of the two writers has done.
    done: [AtomicUsize; 2],
}

#[derive(Default)]
struct Memory {
    open: bool,
    written: [usize; 2],
}

impl Mark for Page {
    fn load(&self, order: Ordering) -> u8 {
        self.mark.load(order)
    }

    fn store(&self, state: u8, order: Ordering) {
        self.mark.store(state, order);
        self.wake();
    }

    fn change(&self, from: u8, to: u8, success: Ordering) -> bool {
        self.mark.compare_exchange(from, to, success, Relaxed).is_ok()
    }
}

impl Page {
    fn wake(&self) {
        drop(self.queue.lock().unwrap());
        self.changed.notify_all();
    }

    fn sleep_while(&self, is_so: fn(&Page) -> bool) {
        let mut queued = self.queue.lock().unwrap();
        while is_so(self) {
            queued = self.changed.wait(queued).unwrap();
        }
    }

    fn is_taken(&self) -> bool {
        matches!(self.mark.load(Relaxed), OPENING | TAKING)
    }

    fn protect(&self, open: bool) {
        self.memory.lock().unwrap().open = open;
    }

    /// The store that a processor tries, and what it wrote.
    fn try_store(&self, writer: usize) -> bool {
        let mut memory = self.memory.lock().unwrap();
        if memory.open {
            memory.written[writer] += 1;
        }
        memory.open
    }

    fn look(&self) -> [usize; 2] {
        self.memory.lock().unwrap().written
    }
}

/// How a page is opened after a fault, and how it is collected (whether it was written).
#[derive(Clone, Copy)]
struct Ways {
    fault: fn(&Page),
    take: fn(&Page) -> bool,
}

const SHIPPED: Ways = Ways {
    fault: |page| {
        let open = || {
            let room = !page.no_room.load(Relaxed);
            if room {
                page.protect(true);
            }
            room
        };
        match write_fault(page, open) {
            Fault::Opened => {}
            Fault::Elsewhere => page.sleep_while(Page::is_taken),
            Fault::NoRoom => {
                if page.seizing.compare_exchange(false, true, Acquire, Relaxed).is_err() {
                    return page.sleep_while(|page| page.seizing.load(Relaxed));
                }
                let open = || {
                    page.protect(true);
                    true
                };
                open_all(from_ref(page), || page.sleep_while(Page::is_taken), open);
                page.seizing.store(false, Release);
                page.wake();
            }
        }
    },
    take: |page| {
        let mut reported = false;
        let close = || {
            page.protect(false);
            true
        };
        collect(from_ref(page), |_| reported = true, close);
        reported
    },
};

/// What the run is made of: how many writers, writes of each, and collections beside them.
#[derive(Clone, Copy)]
struct Size {
    writers: usize,
    writes: usize,
    takes: usize,
    no_room: bool,
    /// The page is first closed for the sake of another, unclaimed.
    closed_in_passing: bool,
    /// How often a thread is stopped in the middle at most. More takes loom minutes.
    stops: usize,
}

const ONE: Size =
    Size { writers: 1, writes: 1, takes: 1, no_room: false, closed_in_passing: false, stops: 4 };
const TWO: Size = Size { writers: 2, stops: 3, ..ONE };

fn run(ways: Ways, size: Size) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(size.stops);
    builder.check(move || {
        let page = Arc::new(Page {
            mark: AtomicU8::new(CLEAN),
            memory: Mutex::default(),
            no_room: AtomicBool::new(size.no_room),
            seizing: AtomicBool::new(false),
            queue: Mutex::default(),
            changed: Condvar::new(),
            done: Default::default(),
        });
        let writers: Vec<_> = (0..size.writers)
            .map(|writer| {
                let page = Arc::clone(&page);
                thread::spawn(move || {
                    for write in 1..=size.writes {
                        while !page.try_store(writer) {
                            (ways.fault)(&page);
                        }
                        page.done[writer].store(write, Release);
                    }
                })
            })
            .collect();
        let mut seen = [0; 2];
        for _ in 0..size.takes {
            let before = [page.done[0].load(Acquire), page.done[1].load(Acquire)];
            if size.closed_in_passing {
                page.protect(false);
            }
            if (ways.take)(&page) {
                seen = page.look();
            }
            assert!(seen[0] >= before[0] && seen[1] >= before[1], "a write is not reported");
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        if (ways.take)(&page) {
            seen = page.look();
        }
        assert_eq!(seen, page.look(), "a write is lost");
    });
}

fn is_caught(ways: Ways, size: Size) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(ways, size))).is_err()
}

#[test]
fn no_write_is_lost_or_late() {
    run(SHIPPED, Size { writes: 2, takes: 2, ..ONE });
    run(SHIPPED, Size { stops: testkit::soak(3, 4), ..TWO });
}

#[test]
fn no_write_is_lost_when_a_collector_closes_a_page_in_passing() {
    run(SHIPPED, Size { closed_in_passing: true, ..ONE });
    run(SHIPPED, Size { closed_in_passing: true, takes: 2, ..ONE });
}

#[test]
fn no_write_is_lost_when_all_pages_have_to_be_opened_at_once() {
    run(SHIPPED, Size { no_room: true, takes: 2, ..ONE });
    run(SHIPPED, Size { no_room: true, stops: testkit::soak(2, 3), ..TWO });
}

#[test]
fn marked_first_and_opened_then_loom_finds_a_write_that_is_lost() {
    let ways = Ways {
        fault: |page| {
            page.mark.swap(WRITTEN, AcqRel);
            page.protect(true);
        },
        take: |page| {
            let written = page.mark.swap(CLEAN, AcqRel) == WRITTEN;
            if written {
                page.protect(false);
            }
            written
        },
    };
    assert!(is_caught(ways, ONE));
}

#[test]
fn opened_first_and_marked_then_loom_finds_a_write_that_is_not_reported() {
    let ways = Ways {
        fault: |page| {
            page.protect(true);
            page.mark.swap(WRITTEN, AcqRel);
        },
        take: |page| {
            let written = page.mark.swap(CLEAN, AcqRel) == WRITTEN;
            if written {
                page.protect(false);
            }
            written
        },
    };
    assert!(is_caught(ways, TWO));
}

#[test]
fn with_pages_that_are_being_opened_taken_for_clean_loom_finds_a_write_that_is_not_reported() {
    let ways =
        Ways { take: |page| (SHIPPED.take)(page) && page.mark.load(Relaxed) != OPENING, ..SHIPPED };
    assert!(is_caught(ways, TWO));
}

/// A handler that finds the page written and closed opens it again, between the two steps.
#[test]
fn without_a_claim_by_the_collector_loom_finds_a_write_that_is_lost() {
    let ways = Ways {
        take: |page| match page.mark.load(Acquire) {
            CLEAN => false,
            WRITTEN => {
                page.protect(false);
                page.change(WRITTEN, CLEAN, Release);
                true
            }
            _ => true,
        },
        ..SHIPPED
    };
    assert!(is_caught(ways, Size { writes: 2, ..ONE }));
}

#[test]
fn with_all_pages_opened_but_not_seized_loom_finds_a_write_that_is_lost() {
    let ways = Ways {
        fault: |page| match write_fault(page, || false) {
            Fault::NoRoom => {
                page.protect(true);
                Mark::store(page, WRITTEN, Release);
            }
            _ => page.sleep_while(Page::is_taken),
        },
        ..SHIPPED
    };
    assert!(is_caught(ways, TWO));
}
