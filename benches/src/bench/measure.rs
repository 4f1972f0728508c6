//! The rounds that criterion asks for, done in turns with the reference.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

use crate::floor::{Around, Steady};
use crate::raw::Elsewhere;
use crate::results::Measured;
use crate::turns::{Pairs, Spread};
use crate::watch::{Work, took};

/// Into so many pairs are the rounds divided that criterion asks for at a time.
const TURNS: u64 = 4;
/// No pair does more rounds of the reference than that, however much faster it is.
const MOST: f64 = 1e9;

/// Measures a case and its reference.
pub(super) struct Turns<'a, 'w> {
    floor: &'a mut Steady,
    work: &'a mut Work<'w>,
    reference: &'a mut Work<'w>,
    calls: Vec<Call>,
    /// So many pairs at least, each time criterion asks.
    least: u64,
    /// Nanoseconds a round, by the last pair.
    guess: Option<[f64; 2]>,
    elsewhere: Elsewhere,
    tried: bool,
}

/// What criterion asked for at a time, and what came of it.
struct Call {
    rounds: u64,
    pairs: Vec<Around<Pair>>,
}

/// Case and reference once each.
#[derive(Clone, Copy)]
struct Pair {
    /// Nanoseconds a round.
    times: [f64; 2],
    /// Whether somebody else had our processor meanwhile. The floor does not show that: it is the
    /// shortest of some tries, and knows how fast the processor is, not whose.
    interrupted: bool,
}

impl<'a, 'w> Turns<'a, 'w> {
    pub fn new(
        floor: &'a mut Steady,
        work: &'a mut Work<'w>,
        reference: &'a mut Work<'w>,
        quick: bool,
    ) -> Turns<'a, 'w> {
        // Criterion's quick mode asks once for one round of what takes long. Of a single pair nobody
        // can say how far it is to be believed.
        let least = if quick { 3 } else { 1 };
        let (calls, elsewhere) = (Vec::new(), Elsewhere::default());
        Turns { floor, work, reference, calls, least, guess: None, elsewhere, tried: false }
    }

    /// One round, and no figures.
    pub fn try_out(&mut self, rounds: u64) -> Duration {
        self.tried = true;
        took(self.work, rounds).max(Duration::from_nanos(1))
    }

    pub fn tried(&self) -> bool {
        self.tried
    }

    /// How long `rounds` rounds of the case take.
    pub fn rounds(&mut self, rounds: u64) -> Duration {
        if self.guess.is_none() {
            // The first round of all makes files, touches fresh memory, and takes the faults that a
            // fork has left: it is nobody's figure.
            self.guess = Some([took(self.work, 1), took(self.reference, 1)].map(nanos));
        }
        self.floor.forget();
        let done = rounds.max(self.least);
        let turns = done.min(TURNS);
        let mut call = Call { rounds, pairs: Vec::new() };
        let mut total = 0.0;
        for turn in 0..turns {
            let share = done * (turn + 1) / turns - done * turn / turns;
            let pair = self.pair(share, turn % 2 == 0);
            total += pair.value.times[0] * share as f64;
            call.pairs.push(pair);
        }
        self.calls.push(call);
        // Criterion refuses a time of zero.
        Duration::from_nanos((total * rounds as f64 / done as f64).round().max(1.0) as u64)
    }

    /// Case and reference once each, in nanoseconds a round, with the floor around both. Each pair's
    /// new mappings lie at another place.
    fn pair(&mut self, rounds: u64, case_first: bool) -> Around<Pair> {
        let guess = self.guess.expect("the first round has been");
        // About as long for the one as for the other, or the floor is that of the longer only.
        let as_long = (rounds as f64 * guess[0] / guess[1]).clamp(1.0, MOST).round() as u64;
        self.elsewhere.next();
        let (work, reference) = (&mut *self.work, &mut *self.reference);
        let mut a = || nanos(took(work, rounds)) / rounds as f64;
        let mut b = || nanos(took(reference, as_long)) / as_long as f64;
        let around = self.floor.around(|| {
            // Who goes first alternates, so that neither always finds the other's warm cache.
            let before = interruptions();
            let times = if case_first {
                let first = a();
                [first, b()]
            } else {
                let first = b();
                [a(), first]
            };
            Pair { times, interrupted: interruptions() > before }
        });
        self.guess = Some(around.value.times.map(|time| time.max(1.0)));
        around
    }

    /// What came of it; `None` if criterion's filter left the case out.
    pub fn measured(&self, reference: &str) -> Option<Measured> {
        let pairs: Vec<_> = counted(&self.calls).iter().flat_map(|call| &call.pairs).collect();
        if pairs.is_empty() {
            return None;
        }
        let each: Vec<[f64; 2]> = pairs.iter().map(|pair| pair.value.times).collect();
        let both = Pairs::from(each.clone());
        Some(Measured {
            reference: reference.into(),
            ratio: both.ratio(),
            time: both.a(),
            reference_time: both.b(),
            floor_is: self.floor.is().into(),
            floor: Spread::of(pairs.iter().flat_map(|pair| pair.floor)),
            pairs: pairs.len(),
            again: pairs.iter().map(|pair| pair.again).sum(),
            interrupted: pairs.iter().filter(|pair| pair.value.interrupted).count() as u32,
            unsettled: pairs.iter().filter(|pair| !pair.is_settled()).count() as u32,
            each,
        })
    }
}

/// Without the warm-up, whose calls grow by doubling: the calls at the end that ask for the same
/// number of rounds. In quick mode all double; then the last that have enough pairs.
fn counted(calls: &[Call]) -> &[Call] {
    let Some(last) = calls.last() else { return calls };
    let same = calls.iter().rev().take_while(|call| call.rounds == last.rounds).count();
    if same > 1 {
        return &calls[calls.len() - same..];
    }
    let enough = 2 * TURNS as usize;
    let mut pairs = 0;
    let needed = calls.iter().rev().take_while(|call| {
        let go_on = pairs < enough;
        pairs += call.pairs.len();
        go_on
    });
    &calls[calls.len() - needed.count()..]
}

/// How often this thread has lost its processor without having asked for it.
fn interruptions() -> i64 {
    getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| usage.involuntary_context_switches())
}

fn nanos(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e9).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Watch;

    fn calls(rounds: &[u64]) -> Vec<Call> {
        let value = Pair { times: [1.0, 1.0], interrupted: false };
        let pair = Around { value, floor: [1.0, 1.0], again: 0 };
        let call = |rounds: &u64| Call {
            rounds: *rounds,
            pairs: vec![pair; (*rounds).min(TURNS) as usize],
        };
        rounds.iter().map(call).collect()
    }

    #[test]
    fn the_warm_up_does_not_count() {
        let count = |rounds: &[u64]| counted(&calls(rounds)).len();
        assert_eq!(count(&[]), 0);
        assert_eq!(count(&[1, 2, 4, 8, 16, 5, 5, 5]), 3, "full: the samples");
        assert_eq!(count(&[1, 2, 4, 8]), 2, "quick: the last two have enough pairs");
        assert_eq!(count(&[1, 2]), 2, "quick: all there are");
    }

    #[test]
    fn who_gives_the_processor_away_is_not_interrupted() {
        let mut floor = Steady::new("nothing", Box::new(|| 100.0));
        let nap = || std::thread::sleep(Duration::from_micros(100));
        let mut work = |watch: &mut Watch, _: u64| watch.on(nap);
        let mut reference = |watch: &mut Watch, _: u64| watch.on(|| ());
        let mut turns = Turns::new(&mut floor, &mut work, &mut reference, false);
        (0..10).for_each(|_| _ = turns.rounds(4));
        let measured = turns.measured("b").expect("it ran");
        assert!((measured.interrupted as usize) < measured.pairs, "on a busy machine some are");
    }

    #[test]
    fn every_round_that_criterion_asks_for_is_done_and_the_first_is_not_counted() {
        let mut floor = Steady::new("nothing", Box::new(|| 100.0));
        let (mut a, mut b) = (0, 0);
        let mut work = |watch: &mut Watch, rounds: u64| watch.on(|| a += rounds);
        let mut reference = |watch: &mut Watch, rounds: u64| watch.on(|| b += rounds);
        let mut turns = Turns::new(&mut floor, &mut work, &mut reference, false);
        assert!(turns.measured("b").is_none());
        turns.rounds(10);
        turns.rounds(10);
        let measured = turns.measured("b").expect("it ran");
        assert_eq!((measured.pairs, measured.again, measured.unsettled), (8, 0, 0));
        assert_eq!(a, 21);
        assert!(b >= 9);
    }

    #[test]
    fn one_round_in_quick_mode_is_three_pairs_and_told_as_one_round() {
        let mut floor = Steady::new("nothing", Box::new(|| 100.0));
        let nap = Duration::from_millis(2);
        let mut work = |watch: &mut Watch, rounds: u64| {
            watch.on(|| (0..rounds).for_each(|_| std::thread::sleep(nap)));
        };
        let mut reference = |watch: &mut Watch, _: u64| watch.on(|| ());
        let mut turns = Turns::new(&mut floor, &mut work, &mut reference, true);
        let told = turns.rounds(1);
        let measured = turns.measured("b").expect("it ran");
        assert_eq!(measured.pairs, 3);
        let mean = measured.each.iter().map(|pair| pair[0]).sum::<f64>() / 3.0;
        assert!((told.as_nanos() as f64 - mean).abs() < 2.0, "{told:?}, {mean}");
    }

    #[test]
    fn a_pair_whose_floor_moved_is_done_again_and_told() {
        let mut looks = [100.0, 200.0, 200.0].into_iter().chain(std::iter::repeat(200.0));
        let mut floor = Steady::new("numbers", Box::new(move || looks.next().expect("endless")));
        let mut a = 0;
        let mut work = |watch: &mut Watch, rounds: u64| watch.on(|| a += rounds);
        let mut reference = |watch: &mut Watch, _: u64| watch.on(|| ());
        let mut turns = Turns::new(&mut floor, &mut work, &mut reference, false);
        turns.rounds(4);
        let measured = turns.measured("b").expect("it ran");
        assert_eq!((measured.pairs, measured.again, measured.unsettled), (4, 1, 0));
        assert_eq!((measured.floor.min, measured.floor.max), (200.0, 200.0));
        assert_eq!(a, 1 + 4 + 1, "the first, those asked for, and the one again");
    }
}
