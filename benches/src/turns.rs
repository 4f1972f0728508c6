//! Measuring two things in turns.
//!
//! Two criterion figures taken seconds apart compare two moments of a machine as much as two
//! pieces of code: its clock and its neighbours change in between. [`in_turns`] measures A B A B …
//! in short batches and looks at each pair by itself.

use std::fmt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::settings::Mode;

/// A figure over many pairs. Printed with three decimals, or as many as the format asks for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The smallest.
    pub min: f64,
    /// A quarter of them are smaller.
    pub lower: f64,
    /// The one in the middle, or halfway between the two: the figure to quote.
    pub median: f64,
    /// A quarter of them are larger.
    pub upper: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of all these figures.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Spread {
        let mut all: Vec<f64> = figures.into_iter().collect();
        all.sort_by(f64::total_cmp);
        let last = all.len() - 1;
        let [min, lower, upper, max] = [0, last / 4, last - last / 4, last].map(|at| all[at]);
        // Of an even number there are two in the middle.
        let median = f64::midpoint(all[last / 2], all[all.len() / 2]);
        Spread { min, lower, median, upper, max }
    }
}

/// What many pairs of turns took.
#[derive(Clone, Debug)]
pub struct Pairs(Vec<[f64; 2]>);

/// Pairs that somebody else has measured: nanoseconds a round of either side.
impl From<Vec<[f64; 2]>> for Pairs {
    fn from(pairs: Vec<[f64; 2]>) -> Pairs {
        Pairs(pairs)
    }
}

/// How often `a` and `b` have their turn.
const PAIRS: usize = 31;
/// How long a turn should take: many times the clock's grain, and shorter than a time slice.
const TURN: Duration = Duration::from_micros(1500);

/// Time of `a` over time of `b`, pair by pair.
pub fn in_turns(a: impl FnMut(), b: impl FnMut()) -> Spread {
    turns(a, b).ratio()
}

/// The pairs themselves.
pub fn turns(mut a: impl FnMut(), mut b: impl FnMut()) -> Pairs {
    pairs(|rounds| time(&mut a, rounds), |rounds| time(&mut b, rounds))
}

/// The ratio of pairs of copies of `size` bytes into one target, over many places where it may lie.
///
/// A load has to wait if a store not long before it went to the same place *modulo 4096*, since the
/// processor compares the low bits of addresses first. A copy of a page or more has stored nearly
/// everywhere in this sense; so whether what comes after it waits (a load from the caller's stack,
/// say) is a matter of where the target happens to lie, and worth a tenth at 4 KiB. To measure at
/// one place would be a throw of dice, which either side may win.
pub fn at_places(size: usize, mut measure: impl FnMut(*mut u8) -> Pairs) -> Spread {
    const PLACES: usize = 16;
    // Each begins a cache line, as the memory does that one would copy a page to; and the step is
    // no divisor of 4096.
    const STEP: usize = 832;
    let mut room = vec![1_u8; size + 4096 + 64];
    let first = room.as_ptr().align_offset(64);
    let mut place = |n| room[first + n * STEP % 4096..].as_mut_ptr();
    Pairs((0..PLACES).map(&mut place).flat_map(|target| measure(target).0).collect()).ratio()
}

/// The same for work that does the rounds by itself and says how long they took: so it may prepare
/// them outside of that time, or be written in another language.
pub fn pairs(mut a: impl FnMut(u32) -> Duration, mut b: impl FnMut(u32) -> Duration) -> Pairs {
    let rounds = rounds_in_a_turn(&mut b);
    let mut a = || a(rounds).as_secs_f64() * 1e9 / f64::from(rounds);
    let mut b = || b(rounds).as_secs_f64() * 1e9 / f64::from(rounds);
    let pair = |pair| {
        // Who goes first alternates, so that neither always finds the other's warm cache.
        if pair % 2 == 0 {
            let first = a();
            [first, b()]
        } else {
            let first = b();
            [a(), first]
        }
    };
    Pairs((0..PAIRS).map(pair).collect())
}

fn rounds_in_a_turn(work: &mut impl FnMut(u32) -> Duration) -> u32 {
    let mut rounds = 1;
    // The shortest of three: one that a neighbour has held up would end the search too early.
    let mut shortest = |rounds| (0..3).map(|_| work(rounds)).min();
    while shortest(rounds) < Some(TURN) && rounds < 1 << 20 {
        rounds *= 2;
    }
    rounds
}

/// How long `rounds` calls take.
///
/// One loop for each piece of work, whoever asks: inlined, one side's work might be repeated in
/// several places of a bench, and so become a function that is called, while the other's is not.
#[inline(never)]
pub fn time(work: &mut impl FnMut(), rounds: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..rounds {
        work();
    }
    start.elapsed()
}

/// Whether figures beside criterion's are asked for, and not only whether the bench runs: `cargo bench`
/// says so, `cargo test --benches` does not. Nor does a filter: whoever wants one case waits for no
/// table.
pub fn figures_wanted() -> bool {
    Mode::of_process().measures() && Mode::filters(std::env::args().skip(1)).is_empty()
}

impl Pairs {
    /// `a` over `b`.
    pub fn ratio(&self) -> Spread {
        self.spread(|[a, b]| a / b)
    }

    /// `a` less `b`: nanoseconds a round.
    pub fn difference(&self) -> Spread {
        self.spread(|[a, b]| a - b)
    }

    /// Nanoseconds a round of `a`.
    pub fn a(&self) -> Spread {
        self.spread(|[a, _]| a)
    }

    /// Nanoseconds a round of `b`.
    pub fn b(&self) -> Spread {
        self.spread(|[_, b]| b)
    }

    /// With so many pieces of work in a round: times of one piece.
    #[must_use]
    pub fn per(self, pieces: usize) -> Pairs {
        Pairs(self.0.into_iter().map(|pair| pair.map(|time| time / pieces as f64)).collect())
    }

    fn spread(&self, of: impl Fn([f64; 2]) -> f64) -> Spread {
        Spread::of(self.0.iter().copied().map(of))
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(3);
        write!(f, "{:.digits$}  ({:.digits$} to {:.digits$})", self.median, self.min, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn of_an_even_number_the_median_is_between_the_two_in_the_middle() {
        let median = |all: &[f64]| Spread::of(all.iter().copied()).median;
        assert!((median(&[1.29, 0.96, 1.20, 1.03, 1.01, 1.58]) - 1.115).abs() < 1e-9);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[7.0]), 7.0);
        let Spread { min, lower, upper, max, .. } = Spread::of([4.0, 1.0, 3.0, 2.0, 5.0]);
        assert_eq!([min, lower, upper, max], [1.0, 2.0, 4.0, 5.0]);
    }
}
