//! The floor of two processes on two processors: two cache lines that go to and fro.
//!
//! One stores a number, the other answers with the same number; each waits by looking. It is a
//! reference, which moves with the distance of the two processors, and no lower bound: a note was seen
//! to take 0.83 of it. Where the lines lie, and whether the one who looks takes a line from the one who
//! is about to store to it, is different for each loop.

use std::hint::{black_box, spin_loop};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

use ipc_common::Result;

use super::Steady;
use crate::bench::stop;
use crate::peer::Peer;
use crate::raw::Map;
use crate::watch::Watch;

/// Far enough apart for processors that fetch lines in pairs.
const APART: usize = 128;
/// Some 100 µs.
const ROUNDS: u64 = 500;
/// The shortest of so many counts: a timer's tick on either processor is not the floor.
const TRIES: usize = 5;
/// Who is silent for so long is dead or stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two lines between this process and another, which runs on `processor`.
#[derive(Debug)]
pub struct Lines {
    memory: Map,
    peer: Peer,
}

impl Lines {
    /// Starts the other process.
    ///
    /// # Errors
    ///
    /// Those of mmap(2), pipe(2), fork(2).
    pub fn new(processor: usize) -> Result<Lines> {
        let memory = Map::anonymous(2 * APART, libc::MAP_SHARED)?;
        let [ask, answer] = words(&memory);
        let peer = Peer::start(
            processor,
            || (),
            |ready, rounds| {
                let mut last = ask.load(Relaxed);
                ready();
                for _ in 0..rounds {
                    last = last.wrapping_add(1);
                    wait_for(ask, last);
                    answer.store(last, Release);
                }
            },
        )?;
        Ok(Lines { memory, peer })
    }

    /// So many round trips.
    pub fn rounds(&self, watch: &mut Watch, rounds: u64) {
        let [ask, answer] = words(&self.memory);
        let mut last = ask.load(Relaxed);
        self.peer.order(rounds);
        watch.on(|| {
            for _ in 0..rounds {
                last = last.wrapping_add(1);
                ask.store(last, Release);
                wait_for(answer, last);
            }
        });
    }
}

/// The floor between this processor and that one.
///
/// # Errors
///
/// Those of [`Lines::new`].
pub fn bounce(processor: usize) -> Result<Steady> {
    let lines = Lines::new(processor)?;
    let floor = move || {
        let once = || {
            let took = crate::watch::took(&mut |watch, rounds| lines.rounds(watch, rounds), ROUNDS);
            took.as_secs_f64() * 1e9 / ROUNDS as f64
        };
        (0..TRIES).map(|_| once()).fold(f64::INFINITY, f64::min)
    };
    Ok(Steady::new("two cache lines to and fro between two processors", Box::new(floor)))
}

/// Looks until it is there, and now and then a little later. Ends the bench if it does not come.
///
/// A trap: two that look at each other's lines in a loop of always the same length fall into step, and
/// the step decides. One C loop took 130 ns for a round trip, and 52 ns when it also counted its
/// looks; the lines to and fro were the same. So no two looks are the same time apart.
#[inline]
pub fn wait_for(word: &AtomicU32, value: u32) {
    let mut looks = 0_u32;
    let mut since = None;
    let mut gap = value.wrapping_mul(0x9e37_79b1) | 1;
    while word.load(Acquire) != value {
        spin_loop();
        // Xorshift (Marsaglia, 2003).
        gap ^= gap << 13;
        gap ^= gap >> 17;
        gap ^= gap << 5;
        (0..gap % 8).for_each(|_| black_box(()));
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(1 << 24)
            && since.get_or_insert_with(Instant::now).elapsed() > PATIENCE
        {
            stop(&"the other process does not answer");
        }
    }
}

fn words(memory: &Map) -> [&AtomicU32; 2] {
    // SAFETY: inside the mapping, aligned to its page; shared with the other process as atomics only.
    [0, APART].map(|at| unsafe { &*memory.start().add(at).cast::<AtomicU32>() })
}
