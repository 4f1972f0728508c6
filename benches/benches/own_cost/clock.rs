//! Two pieces of work in turns, with the floor around each pair.

use std::time::Duration;

use benches::floor::{self, Steady};
use benches::settings::Mode;
use benches::watch::{Work, took};
use benches::{Pairs, Spread, Watch};

/// Measures ratios.
pub struct Clock {
    floor: Steady,
    pairs: usize,
    turn: Duration,
}

/// What came of it.
pub struct Compared {
    /// Ours over theirs.
    pub ratio: Spread,
    /// Nanoseconds a round.
    pub ours: f64,
    /// Likewise.
    pub theirs: f64,
    /// Pairs whose floor moved however often they were measured.
    pub unsettled: usize,
}

impl Clock {
    pub fn new(mode: Mode, quick: bool) -> Clock {
        let (pairs, turn) = match mode {
            Mode::Test => (1, Duration::ZERO),
            _ if quick => (15, Duration::from_millis(1)),
            // Many times the clock's grain, and shorter than a time slice.
            _ => (61, Duration::from_millis(2)),
        };
        Clock { floor: floor::alone(), pairs, turn }
    }

    /// From here on, this is what must not move: between two processors, say.
    pub fn set_floor(&mut self, floor: Steady) {
        self.floor = floor;
    }

    /// Rounds that need no preparation.
    pub fn compare(&mut self, ours: &mut dyn FnMut(), theirs: &mut dyn FnMut()) -> Compared {
        self.compare_parts(&mut |watch, rounds| all(watch, rounds, ours), &mut |watch, rounds| {
            all(watch, rounds, theirs);
        })
    }

    /// Rounds of which only a part counts.
    pub fn compare_parts(&mut self, ours: &mut Work<'_>, theirs: &mut Work<'_>) -> Compared {
        let rounds = [self.rounds_in_a_turn(ours), self.rounds_in_a_turn(theirs)];
        let mut a = || nanos(took(ours, rounds[0]), rounds[0]);
        let mut b = || nanos(took(theirs, rounds[1]), rounds[1]);
        self.floor.forget();
        let mut unsettled = 0;
        let mut pair = |nth: usize| {
            let around = self.floor.around(|| {
                // Who goes first alternates, so that neither always finds the other's warm cache.
                if nth.is_multiple_of(2) {
                    let first = a();
                    [first, b()]
                } else {
                    let first = b();
                    [a(), first]
                }
            });
            unsettled += usize::from(!around.is_settled());
            around.value
        };
        let pairs = Pairs::from((0..self.pairs).map(&mut pair).collect::<Vec<_>>());
        let (ours, theirs) = (pairs.a().median, pairs.b().median);
        Compared { ratio: pairs.ratio(), ours, theirs, unsettled }
    }

    fn rounds_in_a_turn(&self, work: &mut Work<'_>) -> u64 {
        // The first round of all touches fresh memory and installs what has to be.
        took(work, 1);
        let mut rounds = 1;
        // The shortest of three: one that a neighbour has held up would end the search too early.
        let mut shortest = |rounds| (0..3).map(|_| took(work, rounds)).min();
        while shortest(rounds) < Some(self.turn) && rounds < 1 << 20 {
            rounds *= 2;
        }
        rounds
    }
}

/// One loop for each side's work, called by a pointer: neither is inlined where the other is not.
#[inline(never)]
fn all(watch: &mut Watch, rounds: u64, work: &mut dyn FnMut()) {
    watch.on(|| (0..rounds).for_each(|_| work()));
}

fn nanos(time: Duration, rounds: u64) -> f64 {
    time.as_secs_f64() * 1e9 / rounds as f64
}
