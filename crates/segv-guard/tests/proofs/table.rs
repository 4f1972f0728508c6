//! The table's protocol, run by loom in every order and with every stale value that the memory model
//! allows. `find_and_pin`, `release`, `replace` and `wait_for_unpinned` are the shipped source; the
//! memory is loom's, and its cells notice who reads what is being freed.
//!
//! Each twin breaks one rule, and loom has to catch it: otherwise the proof proves nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use super::protocol::{
    Reading, Replacing, WANTED, find_and_pin, release, replace, wait_for_empty, wait_for_unpinned,
};

/// Tables 0, 1 and 2 are published one after the other. Table 0 has entry 0, table 1 entry 1,
/// table 2 none.
struct Model {
    table: AtomicUsize,
    half: AtomicBool,
    inside: [AtomicUsize; 2],
    tables: [UnsafeCell<Freed>; 3],
    entries: [Entry; 2],
    broken: Broken,
}

#[derive(Default)]
struct Entry {
    pins: AtomicU32,
    data: UnsafeCell<Freed>,
    /// The kernel's side of the futex.
    queue: Mutex<()>,
    woken: Condvar,
}

type Freed = bool;

#[derive(Clone, Copy, PartialEq)]
enum Broken {
    Nothing,
    RelaxedCountIn,
    RelaxedCountOut,
    RelaxedTable,
    RelaxedUnpin,
    /// A load instead of a write that changes nothing.
    EmptyByLoad,
    NoWake,
}

impl Model {
    fn weakened(&self, by: Broken, order: Ordering) -> Ordering {
        if self.broken == by { Ordering::Relaxed } else { order }
    }
}

impl Reading for Model {
    type Table = usize;
    type Entry = usize;

    fn half(&self, order: Ordering) -> bool {
        self.half.load(order)
    }

    fn count_in(&self, half: bool, order: Ordering) {
        let order = self.weakened(Broken::RelaxedCountIn, order);
        self.inside[usize::from(half)].fetch_add(1, order);
    }

    fn count_out(&self, half: bool, order: Ordering) {
        let order = self.weakened(Broken::RelaxedCountOut, order);
        self.inside[usize::from(half)].fetch_sub(1, order);
    }

    fn table(&self, order: Ordering) -> usize {
        self.table.load(self.weakened(Broken::RelaxedTable, order))
    }

    unsafe fn find(&self, table: usize, _: usize) -> Option<usize> {
        assert!(!is_freed(&self.tables[table]), "a freed table was read");
        (table < 2).then_some(table)
    }

    unsafe fn pin(&self, entry: usize, order: Ordering) {
        assert!(!is_freed(&self.entries[entry].data), "a freed entry was pinned");
        self.entries[entry].pins.fetch_add(1, order);
    }

    unsafe fn unpin(&self, entry: usize, order: Ordering) -> u32 {
        self.entries[entry].pins.fetch_sub(1, self.weakened(Broken::RelaxedUnpin, order))
    }

    fn wake(&self, entry: usize) {
        if self.broken != Broken::NoWake {
            drop(self.entries[entry].queue.lock().unwrap());
            self.entries[entry].woken.notify_all();
        }
    }
}

impl Replacing for Model {
    fn set_table(&self, table: usize, order: Ordering) {
        // It is filled only now, so that who sees the number too early is noticed.
        self.tables[table].with_mut(|freed| unsafe_write(freed, false));
        self.table.store(table, self.weakened(Broken::RelaxedTable, order));
    }

    fn set_half(&self, half: bool, order: Ordering) {
        self.half.store(half, order);
    }

    fn is_empty(&self, half: bool, order: Ordering) -> bool {
        let inside = &self.inside[usize::from(half)];
        if self.broken == Broken::EmptyByLoad {
            return inside.load(Ordering::Acquire) == 0;
        }
        inside.compare_exchange(0, 0, order, Ordering::Relaxed).is_ok()
    }

    fn give_way(&self) {
        thread::yield_now();
    }

    unsafe fn want(&self, entry: usize, order: Ordering) {
        self.entries[entry].pins.fetch_or(WANTED, order);
    }

    unsafe fn pins(&self, entry: usize, order: Ordering) -> u32 {
        self.entries[entry].pins.load(order)
    }

    unsafe fn sleep(&self, entry: usize, seen: u32) {
        let Entry { pins, queue, woken, .. } = &self.entries[entry];
        let queued = queue.lock().unwrap();
        if pins.load(Ordering::Relaxed) == seen {
            drop(woken.wait(queued).unwrap());
        }
    }
}

/// Loom's cell notices if another thread is writing.
fn is_freed(cell: &UnsafeCell<Freed>) -> bool {
    // SAFETY: loom stops the model before two threads are in one cell.
    cell.with(|freed| unsafe { *freed })
}

fn unsafe_write(freed: *mut Freed, value: Freed) {
    // SAFETY: as in `is_freed`.
    unsafe { *freed = value };
}

fn free(cell: &UnsafeCell<Freed>) {
    cell.with_mut(|freed| unsafe_write(freed, true));
}

type Find = fn(&Model) -> Option<usize>;
type Replace = fn(&Model, usize);
type Await = fn(&Model, usize);

/// A rule for each side: what is shipped, or a twin.
#[derive(Clone, Copy)]
struct Sides {
    find: Find,
    replace: Replace,
    wait: Await,
}

const SHIPPED: Sides = Sides {
    find: |model| find_and_pin(model, 0),
    replace: |model, table| replace(model, table),
    // SAFETY: the entry is in no table any more, and is freed afterwards.
    wait: |model, entry| unsafe { wait_for_unpinned(model, entry) },
};

/// `readers` threads that look and use what they find, `looks` times each, against `removals`.
fn run(broken: Broken, sides: Sides, (readers, looks, removals): (usize, usize, usize)) {
    let mut builder = loom::model::Builder::new();
    // More than three threads that are stopped in the middle are left out, for time's sake.
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let model = Arc::new(Model {
            table: AtomicUsize::new(0),
            half: AtomicBool::new(false),
            inside: Default::default(),
            tables: [UnsafeCell::new(false), UnsafeCell::new(true), UnsafeCell::new(true)],
            entries: Default::default(),
            broken,
        });
        let reading = |model: Arc<Model>| {
            move || {
                for _ in 0..looks {
                    if let Some(entry) = (sides.find)(&model) {
                        assert!(!is_freed(&model.entries[entry].data), "a freed entry was used");
                        // SAFETY: found and pinned just above.
                        unsafe { release(&*model, entry) };
                    }
                }
            }
        };
        let readers: Vec<_> =
            (0..readers).map(|_| thread::spawn(reading(Arc::clone(&model)))).collect();
        for old in 0..removals {
            (sides.replace)(&model, old + 1);
            free(&model.tables[old]);
            (sides.wait)(&model, old);
            free(&model.entries[old].data);
        }
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

fn is_caught(broken: Broken, sides: Sides, size: (usize, usize, usize)) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(broken, sides, size))).is_err()
}

#[test]
fn no_reader_sees_a_freed_table_or_a_freed_entry() {
    run(Broken::Nothing, SHIPPED, (1, 1, 2));
    run(Broken::Nothing, SHIPPED, (1, 2, 1));
    run(Broken::Nothing, SHIPPED, (2, 1, 1));
}

#[test]
fn with_a_relaxed_order_at_any_place_loom_finds_a_reader_of_freed_memory() {
    for broken in [
        Broken::RelaxedCountIn,
        Broken::RelaxedCountOut,
        Broken::RelaxedTable,
        Broken::RelaxedUnpin,
    ] {
        assert!(is_caught(broken, SHIPPED, (1, 1, 1)), "{}", broken as u8);
    }
}

#[test]
fn with_a_load_to_see_that_nobody_is_inside_loom_finds_a_reader_of_a_freed_table() {
    assert!(is_caught(Broken::EmptyByLoad, SHIPPED, (1, 1, 1)));
}

#[test]
fn without_the_wake_loom_finds_a_remover_that_sleeps_for_ever() {
    assert!(is_caught(Broken::NoWake, SHIPPED, (1, 1, 1)));
}

/// The mistake that is easily made: a reader reads the half, is stopped, and counts itself in the
/// half that the next removal takes for the one of newcomers.
#[test]
fn with_a_wait_for_one_half_only_loom_finds_a_reader_of_a_freed_table() {
    let sides = Sides {
        replace: |model, table| {
            model.set_table(table, Ordering::Release);
            let half = model.half(Ordering::Relaxed);
            model.set_half(!half, Ordering::Relaxed);
            wait_for_empty(model, half);
        },
        ..SHIPPED
    };
    assert!(is_caught(Broken::Nothing, sides, (1, 1, 2)));
}

#[test]
fn with_the_pin_after_leaving_loom_finds_a_reader_of_a_freed_entry() {
    let sides = Sides {
        find: |model| {
            let half = model.half(Ordering::Relaxed);
            model.count_in(half, Ordering::Acquire);
            let table = model.table(Ordering::Acquire);
            // SAFETY: none, this is a twin.
            let found = unsafe { model.find(table, 0) };
            model.count_out(half, Ordering::Release);
            // SAFETY: none, this is a twin.
            found.inspect(|entry| unsafe { model.pin(*entry, Ordering::Relaxed) })
        },
        ..SHIPPED
    };
    assert!(is_caught(Broken::Nothing, sides, (1, 1, 1)));
}

#[test]
fn without_a_wait_for_the_pins_loom_finds_a_reader_of_a_freed_entry() {
    let sides = Sides { wait: |_, _| {}, ..SHIPPED };
    assert!(is_caught(Broken::Nothing, sides, (1, 1, 1)));
}

#[test]
fn with_the_wait_before_the_new_table_loom_finds_a_reader_of_a_freed_table() {
    let sides = Sides {
        replace: |model, table| {
            wait_for_empty(model, false);
            wait_for_empty(model, true);
            model.set_table(table, Ordering::Release);
        },
        ..SHIPPED
    };
    assert!(is_caught(Broken::Nothing, sides, (1, 1, 1)));
}
