//! The protocol of the watched mappings, run by loom in every order and with every stale value that
//! the memory model allows. `put`, `enter`, `leave` and `take_out` are the shipped source; the memory
//! is loom's. A place is used for one range after another, and what belongs to a range is a cell that
//! notices who is in it together with its owner.
//!
//! Each twin breaks one rule, and loom has to catch it: otherwise the proof proves nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, AtomicUsize};
use loom::thread;

use super::mapped_protocol::{NOWHERE, Place, enter, leave, put, take_out};

/// Range 0 is at 100..200, range 1 at 300..400.
const RANGES: [(usize, usize); 2] = [(100, 200), (300, 400)];

struct Model {
    start: AtomicUsize,
    end: AtomicUsize,
    pins: AtomicU32,
    /// Which range the place has, as its owner says: what a handler finds beside the addresses.
    owner: UnsafeCell<Option<usize>>,
    broken: Broken,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Broken {
    Nothing,
    RelaxedPut,
    RelaxedPin,
    RelaxedUnpin,
    /// A load instead of a write that changes nothing.
    UnpinnedByLoad,
    /// The second look at the range leaves its order out.
    RelaxedSecondLook,
}

impl Model {
    fn weakened(&self, by: Broken, order: Ordering) -> Ordering {
        if self.broken == by { Ordering::Relaxed } else { order }
    }
}

impl Place for Model {
    fn start(&self, order: Ordering) -> usize {
        self.start.load(self.weakened(Broken::RelaxedSecondLook, order))
    }

    fn end(&self, order: Ordering) -> usize {
        self.end.load(order)
    }

    fn set_start(&self, start: usize, order: Ordering) {
        self.start.store(start, self.weakened(Broken::RelaxedPut, order));
    }

    fn set_end(&self, end: usize, order: Ordering) {
        self.end.store(end, order);
    }

    fn pin(&self, order: Ordering) {
        self.pins.fetch_add(1, self.weakened(Broken::RelaxedPin, order));
    }

    fn unpin(&self, order: Ordering) {
        self.pins.fetch_sub(1, self.weakened(Broken::RelaxedUnpin, order));
    }

    fn is_unpinned(&self, order: Ordering) -> bool {
        if self.broken == Broken::UnpinnedByLoad {
            return self.pins.load(Ordering::Acquire) == 0;
        }
        self.pins.compare_exchange(0, 0, order, Ordering::Relaxed).is_ok()
    }

    fn give_way(&self) {
        thread::yield_now();
    }
}

/// The owner's side: it alone may be in the cell.
fn set(model: &Model, owner: Option<usize>) {
    // SAFETY: loom stops the model before two threads are in the cell.
    model.owner.with_mut(|cell| unsafe { *cell = owner });
}

/// A handler with a fault in range `which`.
fn handle(model: &Model, which: usize, enter: Enter) {
    if enter(model, RANGES[which].0 + 50) {
        // SAFETY: as in `set`.
        let owner = model.owner.with(|cell| unsafe { *cell });
        assert_eq!(owner, Some(which), "a handler works on another range");
        assert_eq!(model.end(Ordering::Relaxed), RANGES[which].1, "a handler has another's end");
        leave(model);
    }
}

type Enter = fn(&Model, usize) -> bool;
type TakeOut = fn(&Model);

/// A rule for each side: what is shipped, or a twin.
#[derive(Clone, Copy)]
struct Sides {
    enter: Enter,
    take_out: TakeOut,
}

const SHIPPED: Sides =
    Sides { enter: |model, address| enter(model, address), take_out: |model| take_out(model) };

/// Handlers with faults in these ranges, while the place has range 0, then range 1, then none.
fn run(broken: Broken, sides: Sides, faults: &'static [usize]) {
    let mut builder = loom::model::Builder::new();
    // More than three threads that are stopped in the middle are left out, for time's sake.
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let model = Arc::new(Model {
            start: AtomicUsize::new(NOWHERE),
            end: AtomicUsize::new(0),
            pins: AtomicU32::new(0),
            owner: UnsafeCell::new(None),
            broken,
        });
        let handlers: Vec<_> = faults
            .iter()
            .map(|which| {
                let model = Arc::clone(&model);
                thread::spawn(move || handle(&model, *which, sides.enter))
            })
            .collect();
        for (which, (start, end)) in RANGES.into_iter().enumerate() {
            set(&model, Some(which));
            put(&*model, start, end);
            (sides.take_out)(&model);
            set(&model, None);
        }
        handlers.into_iter().for_each(|handler| handler.join().unwrap());
    });
}

fn is_caught(broken: Broken, sides: Sides, faults: &'static [usize]) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(broken, sides, faults))).is_err()
}

#[test]
fn a_handler_works_on_the_range_that_its_fault_is_in_and_that_range_stays() {
    run(Broken::Nothing, SHIPPED, &[0]);
    run(Broken::Nothing, SHIPPED, &[1]);
    run(Broken::Nothing, SHIPPED, &[0, 1]);
}

#[test]
fn with_a_relaxed_order_at_any_place_loom_finds_a_handler_in_anothers_range() {
    for broken in [Broken::RelaxedPut, Broken::RelaxedPin, Broken::RelaxedUnpin] {
        assert!(is_caught(broken, SHIPPED, &[0]), "{broken:?}");
    }
    assert!(is_caught(Broken::RelaxedSecondLook, SHIPPED, &[0]));
}

#[test]
fn with_a_load_to_see_that_there_are_no_pins_loom_finds_a_handler_in_anothers_range() {
    assert!(is_caught(Broken::UnpinnedByLoad, SHIPPED, &[0]));
}

#[test]
fn without_the_second_look_loom_finds_a_handler_in_anothers_range() {
    let sides = Sides {
        enter: |model, address| {
            let covers =
                model.start(Ordering::Acquire) <= address && address < model.end(Ordering::Relaxed);
            if covers {
                model.pin(Ordering::Acquire);
            }
            covers
        },
        ..SHIPPED
    };
    assert!(is_caught(Broken::Nothing, sides, &[0]));
}

#[test]
fn without_a_wait_for_the_pins_loom_finds_a_handler_in_anothers_range() {
    let sides = Sides { take_out: |model| model.set_start(NOWHERE, Ordering::Relaxed), ..SHIPPED };
    assert!(is_caught(Broken::Nothing, sides, &[0]));
}
