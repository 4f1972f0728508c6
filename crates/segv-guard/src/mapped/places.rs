//! Places for the mappings that are watched, in blocks. The first block is there from the start, and
//! none ever goes away: mapping a file takes no allocation, and a handler may look at all of them
//! whenever it likes.
//!
//! ```text
//!   FIRST ┌──────────────────────┐      ┌──────────────────────┐
//!         │ taken  1 0 1 1 0 …   │ next │ taken  0 0 0 …       │
//!         │ 64 places            │ ───► │ 64 places            │ ───► none yet
//!         └──────────────────────┘      └──────────────────────┘
//! ```
//!
//! A fault looks at every place that is taken. That is no loss: only those faults come here that are
//! about to replace pages, which no mapping survives.

use std::ptr;
use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};
use std::{iter, thread};

use nix::sys::mman::ProtFlags;

use super::protocol::{self, NOWHERE};
use super::state::State;

/// As many as a word has bits.
const PLACES: usize = u64::BITS as usize;

static FIRST: Block = Block::new();

#[derive(Debug)]
struct Block {
    /// Which places are somebody's.
    taken: AtomicU64,
    places: [Place; PLACES],
    next: AtomicPtr<Block>,
}

/// A cache line each: threads that map and unmap do not disturb one another.
#[derive(Debug)]
#[repr(align(64))]
struct Place {
    start: AtomicUsize,
    end: AtomicUsize,
    pins: AtomicU32,
    state: State,
}

impl Block {
    const fn new() -> Block {
        Block {
            taken: AtomicU64::new(0),
            places: [const { Place::new() }; PLACES],
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    fn next(&self) -> Option<&'static Block> {
        // SAFETY: null, or what `grow` has leaked.
        unsafe { self.next.load(Acquire).as_ref() }
    }

    #[cold]
    fn grow(&self) -> &'static Block {
        let next = Box::leak(Box::new(Block::new()));
        self.next.store(next, Release);
        next
    }

    /// The places that are somebody's, or were a moment ago.
    fn in_use(&self) -> impl Iterator<Item = &Place> {
        // Acquire: whoever has taken one has also put a range there before, if he has put it.
        let mut left = self.taken.load(Acquire);
        iter::from_fn(move || {
            let at = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            self.places.get(at)
        })
    }
}

fn blocks() -> impl Iterator<Item = &'static Block> {
    iter::successors(Some(&FIRST), |block| block.next())
}

/// A place that is somebody's, until dropped. Dropping waits for handlers that are using it.
#[derive(Debug)]
pub(super) struct Taken {
    block: &'static Block,
    /// Its bit in the block.
    at: usize,
    /// The place itself, for whoever asks after each copy whether pages were replaced.
    place: &'static Place,
}

impl Taken {
    /// Watches `start..end`. One caller at a time.
    #[inline]
    pub(super) fn new(start: usize, end: usize, protection: ProtFlags) -> Taken {
        let mut block = &FIRST;
        // Acquire: whoever has given a place back has done with it.
        let mut at = block.taken.load(Acquire).trailing_ones() as usize;
        while at == PLACES {
            block = block.next().unwrap_or_else(|| block.grow());
            at = block.taken.load(Acquire).trailing_ones() as usize;
        }
        let place = &block.places[at];
        place.state.begin(protection);
        protocol::put(place, start, end);
        block.taken.fetch_or(1 << at, Release);
        Taken { block, at, place }
    }

    #[inline]
    pub(super) fn state(&self) -> &'static State {
        &self.place.state
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        protocol::take_out(self.place);
        self.block.taken.fetch_and(!(1 << self.at), Release);
    }
}

/// A range that is watched and has an address in `start..end`. The caller keeps others from adding
/// one meanwhile.
#[inline]
pub(crate) fn overlapping(start: usize, end: usize) -> Option<(usize, usize)> {
    blocks().flat_map(Block::in_use).find_map(|place| {
        let (other, other_end) = (place.start.load(Acquire), place.end.load(Relaxed));
        (other < end && start < other_end).then_some((other, other_end))
    })
}

/// What the range that `address` lies in makes of it; `None` if it lies in none. For the handler.
pub(super) fn answer<T>(address: usize, with: impl FnOnce(&State, usize) -> T) -> Option<T> {
    let place = blocks().flat_map(Block::in_use).find(|place| protocol::enter(*place, address))?;
    let answer = with(&place.state, place.end.load(Relaxed));
    protocol::leave(place);
    Some(answer)
}

impl Place {
    const fn new() -> Place {
        Place {
            start: AtomicUsize::new(NOWHERE),
            end: AtomicUsize::new(0),
            pins: AtomicU32::new(0),
            state: State::new(),
        }
    }
}

impl protocol::Place for Place {
    #[inline]
    fn start(&self, order: Ordering) -> usize {
        self.start.load(order)
    }

    #[inline]
    fn end(&self, order: Ordering) -> usize {
        self.end.load(order)
    }

    #[inline]
    fn set_start(&self, start: usize, order: Ordering) {
        self.start.store(start, order);
    }

    #[inline]
    fn set_end(&self, end: usize, order: Ordering) {
        self.end.store(end, order);
    }

    fn pin(&self, order: Ordering) {
        self.pins.fetch_add(1, order);
    }

    fn unpin(&self, order: Ordering) {
        self.pins.fetch_sub(1, order);
    }

    #[inline]
    fn is_unpinned(&self, order: Ordering) -> bool {
        self.pins.compare_exchange(0, 0, order, Relaxed).is_ok()
    }

    fn give_way(&self) {
        thread::yield_now();
    }
}
