//! The protocol, run by loom in every order and with every stale value that the memory model
//! allows. `replace` and `look` are the shipped source; the memory is loom's.
//!
//! Each twin breaks one rule, and loom has to catch it: otherwise the proof proves nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use ipc_common::Result;
use ipc_common::note::Before;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU8, AtomicU32, fence};
use loom::thread;

use super::{Changing, Look, Looking, look, replace};

/// A note of two bytes, always equal to each other: unequal ones are torn.
struct Model {
    sequence: AtomicU32,
    text: [AtomicU8; 2],
    /// The rule that this memory breaks.
    broken: Broken,
}

#[derive(Clone, Copy, PartialEq)]
enum Broken {
    Nothing,
    NoAcquireFence,
    NoReleaseFence,
    RelaxedEnd,
}

impl Looking for Model {
    type Copy = [u8; 2];

    fn load_sequence(&self, order: Ordering) -> u32 {
        self.sequence.load(order)
    }

    fn fence(&self, order: Ordering) {
        match (self.broken, order) {
            (Broken::NoAcquireFence, Ordering::Acquire) => {}
            (Broken::NoReleaseFence, Ordering::Release) => {}
            _ => fence(order),
        }
    }

    fn copy_out(&self) -> [u8; 2] {
        [self.text[0].load(Ordering::Relaxed), self.text[1].load(Ordering::Relaxed)]
    }
}

impl Changing for Model {
    fn store_sequence(&self, value: u32, order: Ordering) {
        let order = if self.broken == Broken::RelaxedEnd { Ordering::Relaxed } else { order };
        self.sequence.store(value, order);
    }

    fn copy_in(&self, text: &[u8]) -> Result<()> {
        self.text[0].store(text[0], Ordering::Relaxed);
        self.text[1].store(text[1], Ordering::Relaxed);
        Ok(())
    }
}

/// A writer of `notes` notes against a reader that looks `looks` times. The sequence starts at
/// `first`. (Two notes against two looks hold, too, but take loom half a minute.)
fn run(broken: Broken, first: u32, (notes, looks): (u8, u8), write: fn(&Model, &[u8])) {
    loom::model(move || {
        let model = Arc::new(Model {
            sequence: AtomicU32::new(first),
            text: [AtomicU8::new(0), AtomicU8::new(first as u8 % 2)],
            broken,
        });
        let writer = {
            let model = Arc::clone(&model);
            thread::spawn(move || (1..=notes).for_each(|note| write(&model, &[note + 1; 2])))
        };
        for _ in 0..looks {
            if let Look::Whole { copy: [one, other], .. } = look(&*model) {
                assert_eq!(one, other, "torn");
            }
        }
        writer.join().unwrap();
        assert!(matches!(look(&*model), Look::Whole { copy, .. } if copy == [notes + 1; 2]));
    });
}

fn shipped(model: &Model, text: &[u8]) {
    let _: Before = replace(model, text).unwrap();
}

fn is_caught(broken: Broken, write: fn(&Model, &[u8])) -> bool {
    catch_unwind(AssertUnwindSafe(|| run(broken, 0, (1, 2), write))).is_err()
}

#[test]
fn a_reader_never_accepts_a_torn_note() {
    run(Broken::Nothing, 0, (1, 2), shipped);
    run(Broken::Nothing, 0, (2, 1), shipped);
}

/// The sequence is odd from the start, and the two bytes differ.
#[test]
fn a_reader_never_accepts_what_a_dead_writer_left() {
    run(Broken::Nothing, 7, (1, 2), shipped);
}

#[test]
fn a_sequence_that_wraps_round_is_no_exception() {
    run(Broken::Nothing, u32::MAX - 1, (1, 2), shipped);
}

#[test]
fn without_the_acquire_fence_loom_finds_a_torn_note() {
    assert!(is_caught(Broken::NoAcquireFence, shipped));
}

#[test]
fn without_the_release_fence_loom_finds_a_torn_note() {
    assert!(is_caught(Broken::NoReleaseFence, shipped));
}

#[test]
fn with_a_relaxed_last_store_loom_finds_a_torn_note() {
    assert!(is_caught(Broken::RelaxedEnd, shipped));
}

#[test]
fn with_the_sequence_bumped_after_the_text_only_loom_finds_a_torn_note() {
    assert!(is_caught(Broken::Nothing, |model, text| {
        let found = model.load_sequence(Ordering::Relaxed);
        model.copy_in(text).unwrap();
        model.store_sequence(found.wrapping_add(2), Ordering::Release);
    }));
}

#[test]
fn with_the_even_sequence_before_the_text_loom_finds_a_torn_note() {
    assert!(is_caught(Broken::Nothing, |model, text| {
        let found = model.load_sequence(Ordering::Relaxed);
        model.store_sequence(found.wrapping_add(1), Ordering::Relaxed);
        model.fence(Ordering::Release);
        model.store_sequence(found.wrapping_add(2), Ordering::Release);
        model.copy_in(text).unwrap();
    }));
}
