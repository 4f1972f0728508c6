//! Who replaces the missing pages of a mapping, run by loom in every order of events. `are_at` and
//! `put` are the shipped source; the memory is a mutex, since the kernel lets no store fall into
//! the middle of an mmap(2).
//!
//! A handler that finds another at it sleeps here until that one has let go, where the shipped one
//! lets the instruction fault again: loom would follow the endless run in which only those who wait
//! are ever scheduled.
//!
//! Proved: what a thread stores in the zeros stays there, whoever else faults meanwhile; and
//! whoever has used the zeros sees the flag, by `were_there`. Each twin breaks one rule, and loom has
//! to find the store that is wiped out, or the zero that is believed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::{self, Relaxed};

use loom::sync::atomic::{AtomicBool, AtomicUsize, fence};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use super::mapped_zeros::{Flag, Put, Zeros, are_at, put, were_there};

const PAGES: usize = 2;

struct Model {
    begin: AtomicUsize,
    claimed: AtomicBool,
    /// `None` is a page that the file has not.
    pages: Mutex<[Option<usize>; PAGES]>,
    queue: Mutex<()>,
    let_go: Condvar,
    broken: Broken,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Broken {
    Nothing,
    /// Everybody has it.
    NoClaim,
    RelaxedClaim,
    RelaxedLetGo,
    /// Where the zeros begin is looked up before the claim, and taken for true after it.
    LookedBefore,
}

impl Model {
    fn weakened(&self, by: Broken, order: Ordering) -> Ordering {
        if self.broken == by { Relaxed } else { order }
    }
}

impl Zeros for Model {
    fn begin(&self, order: Ordering) -> usize {
        self.begin.load(order)
    }

    fn set_begin(&self, page: usize, order: Ordering) {
        self.begin.store(page, order);
    }

    fn claim(&self, success: Ordering) -> bool {
        let order = self.weakened(Broken::RelaxedClaim, success);
        let free = self.claimed.compare_exchange(false, true, order, Relaxed).is_ok();
        free || self.broken == Broken::NoClaim
    }

    fn let_go(&self, order: Ordering) {
        self.claimed.store(false, self.weakened(Broken::RelaxedLetGo, order));
        drop(self.queue.lock().unwrap());
        self.let_go.notify_all();
    }
}

/// Adds 1 to a word of `page`, as an instruction that faults until it can.
fn add(model: &Model, page: usize) {
    let add = || model.pages.lock().unwrap()[page].as_mut().map(|word| *word += 1).is_some();
    while !add() {
        if !fault(model, page) {
            let mut queued = model.queue.lock().unwrap();
            while model.claimed.load(Relaxed) {
                queued = model.let_go.wait(queued).unwrap();
            }
        }
    }
}

/// Whether the page is there, as far as this handler knows.
fn fault(model: &Model, page: usize) -> bool {
    let map = |up_to| {
        model.pages.lock().unwrap()[page..up_to].fill(Some(0));
        true
    };
    if model.broken == Broken::LookedBefore {
        let begin = model.begin.load(Ordering::Acquire);
        return begin <= page
            || model.claim(Ordering::Acquire) && {
                map(begin.min(PAGES));
                model.set_begin(page, Ordering::Release);
                model.let_go(Ordering::Release);
                true
            };
    }
    are_at(model, page) || put(model, page, PAGES, map) == Put::There
}

/// Threads that each add 1 to a word of one of these pages, and what is in the pages then.
fn run(broken: Broken, touched: &'static [usize]) {
    let mut builder = loom::model::Builder::new();
    // More than three threads that are stopped in the middle are left out, for time's sake.
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let model = Arc::new(Model {
            begin: AtomicUsize::new(usize::MAX),
            claimed: AtomicBool::new(false),
            pages: Mutex::new([None; PAGES]),
            queue: Mutex::default(),
            let_go: Condvar::new(),
            broken,
        });
        let threads: Vec<_> = touched
            .iter()
            .map(|page| {
                let model = Arc::clone(&model);
                thread::spawn(move || add(&model, *page))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let pages = *model.pages.lock().unwrap();
        for (page, word) in pages.iter().enumerate() {
            let added = touched.iter().filter(|touched| **touched == page).count();
            assert_eq!(word.unwrap_or(0), added, "a store in page {page} was wiped out");
        }
    });
}

fn is_caught(broken: Broken, touched: &'static [usize]) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(broken, touched))).is_err()
}

#[test]
fn what_is_stored_in_the_zeros_stays() {
    run(Broken::Nothing, &[1, 1]);
    run(Broken::Nothing, &[0, 1]);
    run(Broken::Nothing, &[0, 1, 1]);
}

#[test]
fn without_a_claim_loom_finds_a_store_that_is_wiped_out() {
    assert!(is_caught(Broken::NoClaim, &[1, 1]));
    assert!(is_caught(Broken::NoClaim, &[0, 1]));
}

#[test]
fn with_a_look_before_the_claim_only_loom_finds_a_store_that_is_wiped_out() {
    assert!(is_caught(Broken::LookedBefore, &[1, 1]));
}

#[test]
fn with_a_relaxed_claim_loom_finds_a_store_that_is_wiped_out() {
    assert!(is_caught(Broken::RelaxedClaim, &[1, 1]));
    assert!(is_caught(Broken::RelaxedLetGo, &[1, 1]));
}

/// A word of a page, and the flag. The page is replaced by storing 0 in the word: all that a relaxed
/// load can tell.
struct Watched {
    word: AtomicUsize,
    replaced: AtomicBool,
}

impl Flag for Watched {
    fn fence(&self, order: Ordering) {
        fence(order);
    }

    fn load(&self, order: Ordering) -> bool {
        self.replaced.load(order)
    }
}

/// A handler replaces the page while another thread uses the word by `access`, which says whether
/// it met the zeros, and then looks.
fn look(look: fn(&Watched) -> bool, access: fn(&Watched) -> bool) {
    loom::model(move || {
        let watched =
            Arc::new(Watched { word: AtomicUsize::new(7), replaced: AtomicBool::new(false) });
        let handler = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                watched.replaced.store(true, Ordering::SeqCst);
                // The kernel's locks, between setting the flag and the first zero.
                fence(Ordering::SeqCst);
                watched.word.store(0, Relaxed);
            })
        };
        let met_zeros = access(&watched);
        assert!(!met_zeros || look(&watched), "a zero is believed");
        handler.join().unwrap();
    });
}

#[test]
fn whoever_has_used_the_zeros_sees_the_flag() {
    look(were_there, |watched| watched.word.load(Relaxed) == 0);
    look(were_there, |watched| watched.word.fetch_add(1, Relaxed) == 0);
}

#[test]
fn with_an_acquire_load_instead_of_the_fence_loom_finds_a_zero_that_is_believed() {
    let acquire = |watched: &Watched| watched.replaced.load(Ordering::Acquire);
    let run = || look(acquire, |watched| watched.word.load(Relaxed) == 0);
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
}
