//! The order in which a page of a snapshot is closed, saved, opened and read, run by loom in every
//! order of events and with every stale value that the memory model allows. `arm`,
//! `claim_saved`, `save_all`, `settle`, `read` and `disarm` are the shipped source.
//!
//! What may be stored is a mutex's to say, since the kernel lets no store fall between the two
//! sides of an mprotect(2); but the word itself is read without it, as a snapshot's reader does.
//!
//! What is proved: a snapshot shows the word as it was when all pages had been closed, whoever
//! writes meanwhile, and whatever the handlers of the snapshot before it are still about.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice::from_ref;
use std::sync::atomic::Ordering::{self, Acquire, Relaxed, SeqCst};

use loom::sync::atomic::{AtomicU8, AtomicU32, fence};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use super::snapshot_protocol::{
    FREE, HELD, Mark, OPENING, SAVING, SHARED, arm, claim_saved, disarm, let_go, read, save_all,
    settle,
};

struct Page {
    mark: AtomicU8,
    open: Mutex<bool>,
    word: AtomicU32,
    saved: AtomicU32,
    queue: Mutex<()>,
    changed: Condvar,
    broken: Broken,
}

#[derive(Clone, Copy, PartialEq)]
enum Broken {
    Nothing,
    NoSeqCstFences,
    NoAcquireFence,
    /// The reader does not ask again after its copy.
    NoSecondLook,
    /// The page is opened first and copied then.
    OpenedTooEarly,
    /// Pages are closed while handlers have them.
    NotHeld,
    /// A mapping is missing for opening the page by itself. (Nothing is broken.)
    NoRoom,
}

impl Mark for Page {
    fn load(&self, order: Ordering) -> u8 {
        if self.broken == Broken::NoSecondLook && order == Relaxed {
            return SHARED;
        }
        self.mark.load(order)
    }

    fn store(&self, state: u8, order: Ordering) {
        self.mark.store(state, order);
        drop(self.queue.lock().unwrap());
        self.changed.notify_all();
    }

    fn change(&self, from: u8, to: u8, success: Ordering) -> bool {
        self.mark.compare_exchange(from, to, success, Relaxed).is_ok()
    }

    fn fence(&self, order: Ordering) {
        match (self.broken, order) {
            (Broken::NoSeqCstFences, SeqCst) | (Broken::NoAcquireFence, Acquire) => {}
            _ => fence(order),
        }
    }
}

impl Page {
    fn protect(&self, open: bool) {
        *self.open.lock().unwrap() = open;
    }

    /// Until whoever has the page in hand lets it go.
    fn sleep_while_taken(&self) {
        let mut queued = self.queue.lock().unwrap();
        while matches!(self.mark.load(Relaxed), HELD | SAVING | OPENING) {
            queued = self.changed.wait(queued).unwrap();
        }
    }

    fn write(&self, value: u32) {
        while !self.try_store(value) {
            self.fault();
        }
    }

    fn try_store(&self, value: u32) -> bool {
        let open = self.open.lock().unwrap();
        if *open {
            self.word.store(value, Relaxed);
        }
        *open
    }

    fn fault(&self) {
        if self.broken == Broken::OpenedTooEarly && self.mark.load(Relaxed) == SHARED {
            self.protect(true);
        }
        let copy = || self.saved.store(self.word.load(Relaxed), Relaxed);
        if !claim_saved(self, copy) {
            return self.sleep_while_taken();
        }
        match self.broken {
            Broken::NoRoom => {
                if save_all(from_ref(self), |_| copy(), || self.sleep_while_taken()) {
                    self.protect(true);
                }
            }
            _ => self.protect(true),
        }
        settle(self);
    }

    /// Begins a snapshot, and says what it has to show.
    fn arm(&self) -> u32 {
        let mut shown = 0;
        let mut close = || {
            self.protect(false);
            shown = self.word.load(Relaxed);
            true
        };
        if self.broken == Broken::NotHeld {
            close();
            let_go(from_ref(self), SHARED);
        } else {
            arm(from_ref(self), || self.sleep_while_taken(), close);
        }
        shown
    }

    fn disarm(&self) {
        let open = || {
            self.protect(true);
            true
        };
        disarm(from_ref(self), || self.sleep_while_taken(), open);
    }

    fn read(&self) -> u32 {
        let seen = std::cell::Cell::new(0);
        let from = |word: &AtomicU32| {
            seen.set(word.load(Relaxed));
            Ok::<(), ()>(())
        };
        read(self, || from(&self.word), || from(&self.saved)).unwrap();
        seen.get()
    }
}

/// `writers` threads write once each, and a snapshot is taken and read twice. If `late`, a handler
/// of the snapshot before still has the page in hand. No thread is stopped in the middle more than
/// `stops` times: more takes loom minutes.
fn run(broken: Broken, writers: u32, late: bool, stops: usize) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(stops);
    builder.check(move || {
        let page = Arc::new(Page {
            mark: AtomicU8::new(if late { OPENING } else { FREE }),
            open: Mutex::new(!late),
            word: AtomicU32::new(0),
            saved: AtomicU32::new(99),
            queue: Mutex::default(),
            changed: Condvar::new(),
            broken,
        });
        let write = |value| {
            let page = Arc::clone(&page);
            thread::spawn(move || page.write(value))
        };
        let mut threads: Vec<_> = (1..=writers).map(write).collect();
        threads.extend(late.then(|| {
            let page = Arc::clone(&page);
            thread::spawn(move || {
                page.protect(true);
                // What another thread of the program does, once the page is open.
                page.try_store(7);
                settle(&*page);
            })
        }));
        let shown = page.arm();
        assert_eq!(page.read(), shown, "not what was there");
        assert_eq!(page.read(), shown, "not what was there, the second time");
        page.disarm();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_ne!(page.word.load(Acquire), 0, "a write is lost");
    });
}

fn is_caught(broken: Broken, writers: u32, late: bool, stops: usize) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(broken, writers, late, stops))).is_err()
}

#[test]
fn a_snapshot_shows_what_was_there() {
    run(Broken::Nothing, 1, false, testkit::soak(4, 6));
    run(Broken::Nothing, 2, false, testkit::soak(2, 3));
    run(Broken::Nothing, 0, true, testkit::soak(4, 6));
    run(Broken::Nothing, 1, true, testkit::soak(1, 2));
}

#[test]
fn a_snapshot_shows_what_was_there_when_all_pages_have_to_be_opened_at_once() {
    run(Broken::NoRoom, 1, false, 3);
}

#[test]
fn without_the_fences_around_opening_and_copying_loom_finds_a_snapshot_that_shows_a_later_write() {
    assert!(is_caught(Broken::NoSeqCstFences, 2, false, 2));
}

#[test]
fn without_the_fence_before_the_saved_bytes_loom_finds_a_snapshot_that_misses_them() {
    assert!(is_caught(Broken::NoAcquireFence, 1, false, 3));
}

#[test]
fn without_the_second_look_loom_finds_a_snapshot_that_shows_a_later_write() {
    assert!(is_caught(Broken::NoSecondLook, 1, false, 3));
}

#[test]
fn opened_before_it_is_saved_loom_finds_a_snapshot_that_shows_a_later_write() {
    assert!(is_caught(Broken::OpenedTooEarly, 2, false, 2));
}

/// A handler of the snapshot before opens the page after this one has begun.
#[test]
fn closed_while_a_handler_has_it_loom_finds_a_snapshot_that_shows_a_later_write() {
    assert!(is_caught(Broken::NotHeld, 0, true, 3));
}
