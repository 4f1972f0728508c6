//! Two pieces of work in turns, with the floor around each pair.

use std::time::Duration;

use benches::floor::{self, Steady};
use benches::raw::Buffer;
use benches::settings::Mode;
use benches::watch::{Work, took};
use benches::{Pairs, Spread};
use nix::time::{ClockId, clock_gettime};

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
    /// Nanoseconds: the floor around the pairs.
    pub floor: Spread,
    each: Vec<[f64; 2]>,
    floors: Vec<f64>,
}

impl Compared {
    fn of(each: Vec<[f64; 2]>, floors: Vec<f64>, unsettled: usize) -> Compared {
        let pairs = Pairs::from(each.clone());
        let (ours, theirs) = (pairs.a().median, pairs.b().median);
        let floor = Spread::of(floors.iter().copied());
        Compared { ratio: pairs.ratio(), ours, theirs, unsettled, floor, each, floors }
    }

    fn all(parts: Vec<Compared>) -> Compared {
        let unsettled = parts.iter().map(|part| part.unsettled).sum();
        let floors = parts.iter().flat_map(|part| part.floors.clone()).collect();
        Compared::of(parts.into_iter().flat_map(|part| part.each).collect(), floors, unsettled)
    }
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

    /// Rounds that need no preparation, and wait for nobody: by the processor's time that they take,
    /// from which the neighbours' time slices are left out.
    pub fn compare(
        &mut self,
        ours: &mut (impl FnMut() + ?Sized),
        theirs: &mut (impl FnMut() + ?Sized),
    ) -> Compared {
        self.turns(&mut |rounds| on_processor(rounds, ours), &mut |rounds| {
            on_processor(rounds, theirs)
        })
    }

    /// The same for copies of `bytes` bytes to an address, over many addresses: what a place costs
    /// modulo 4096 (see [`benches::at_places`]) is neither side's merit.
    pub fn compare_copies(
        &mut self,
        bytes: usize,
        ours: impl Fn(*mut u8) + Copy,
        theirs: impl Fn(*mut u8) + Copy,
    ) -> Compared {
        const PLACES: usize = 16;
        const STEP: usize = 832;
        let room = Buffer::new(bytes + PLACES * STEP).expect("there is memory");
        let pairs = self.pairs.div_ceil(PLACES);
        let mut few = Clock { floor: floor::alone(), pairs, turn: self.turn };
        let at_each = (0..PLACES).map(|nth| {
            let at = room.start().wrapping_add(nth * STEP);
            // Moved: what a side needs lies in its loop, not behind a pointer that has to be followed
            // each time. Which side the compiler would spare that is nobody's merit.
            few.compare(&mut move || ours(at), &mut move || theirs(at))
        });
        Compared::all(at_each.collect())
    }

    /// Rounds of which only a part counts, or that wait for others: by the clock on the wall.
    pub fn compare_parts(&mut self, ours: &mut Work<'_>, theirs: &mut Work<'_>) -> Compared {
        self.turns(&mut |rounds| took(ours, rounds), &mut |rounds| took(theirs, rounds))
    }

    fn turns(&mut self, ours: &mut Turn<'_>, theirs: &mut Turn<'_>) -> Compared {
        let rounds = [self.rounds_in_a_turn(ours), self.rounds_in_a_turn(theirs)];
        let mut a = || nanos(ours(rounds[0]), rounds[0]);
        let mut b = || nanos(theirs(rounds[1]), rounds[1]);
        self.floor.forget();
        let (mut unsettled, mut floors) = (0, Vec::new());
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
            floors.extend(around.floor);
            around.value
        };
        let each = (0..self.pairs).map(&mut pair).collect();
        Compared::of(each, floors, unsettled)
    }

    fn rounds_in_a_turn(&self, work: &mut Turn<'_>) -> u64 {
        // The first round of all touches fresh memory and installs what has to be.
        work(1);
        let mut rounds = 1;
        // The shortest of three: one that a neighbour has held up would end the search too early.
        let mut shortest = |rounds| (0..3).map(|_| work(rounds)).min();
        while shortest(rounds) < Some(self.turn) && rounds < 1 << 20 {
            rounds *= 2;
        }
        rounds
    }
}

/// Does so many rounds and says how long they took.
type Turn<'a> = dyn FnMut(u64) -> Duration + 'a;

/// A loop for each side's work, and the work in it, as it would be in a program: called from the
/// loop, it would have to put registers back each time, and so would only the side that needs them.
#[inline(never)]
fn on_processor(rounds: u64, work: &mut (impl FnMut() + ?Sized)) -> Duration {
    let now = || {
        clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).expect("Linux has it")
    };
    let before = now();
    (0..rounds).for_each(|_| work());
    now() - before
}

fn nanos(time: Duration, rounds: u64) -> f64 {
    time.as_secs_f64() * 1e9 / rounds as f64
}
