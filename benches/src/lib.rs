//! What the benches have in common: measuring two things in turns.
//!
//! Two criterion figures taken seconds apart compare two moments of a machine as much as two
//! pieces of code: its clock and its neighbours change in between. [`in_turns`] measures A B A B …
//! in short batches and looks at each pair by itself.

use std::fmt;
use std::time::{Duration, Instant};

/// The ratio of two times, over many pairs.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// The smallest.
    pub min: f64,
    /// The one in the middle: the figure to quote.
    pub median: f64,
    /// The largest.
    pub max: f64,
}

/// How often `a` and `b` have their turn.
const PAIRS: usize = 31;
/// How long a turn should take: many times the clock's grain, and shorter than a time slice.
const TURN: Duration = Duration::from_micros(1500);

/// Time of `a` over time of `b`, pair by pair.
pub fn in_turns(mut a: impl FnMut(), mut b: impl FnMut()) -> Ratio {
    let rounds = rounds_in_a_turn(&mut b);
    let mut ratios: Vec<f64> = (0..PAIRS)
        .map(|pair| {
            // Who goes first alternates, so that neither always finds the other's warm cache.
            if pair % 2 == 0 {
                let first = time(&mut a, rounds);
                first / time(&mut b, rounds)
            } else {
                let first = time(&mut b, rounds);
                time(&mut a, rounds) / first
            }
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    Ratio { min: ratios[0], median: ratios[PAIRS / 2], max: ratios[PAIRS - 1] }
}

fn rounds_in_a_turn(work: &mut impl FnMut()) -> u32 {
    let mut rounds = 1;
    while time(work, rounds) < TURN.as_secs_f64() && rounds < 1 << 20 {
        rounds *= 2;
    }
    rounds
}

fn time(work: &mut impl FnMut(), rounds: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..rounds {
        work();
    }
    start.elapsed().as_secs_f64()
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}  ({:.3} to {:.3})", self.median, self.min, self.max)
    }
}
