//! How a handler looks at places that other threads take and give back: without a lock, and without
//! ever working on a range that its owner has taken out. Written once, over whatever has these
//! words: statics when it ships, loom's model of memory when it is proved (tests/proofs).
//!
//! ```text
//!   handler                                whoever takes a range out
//!   ───────                                ─────────────────────────
//!   look at the range: is it the fault's?  store "nowhere"
//!   pin the place                          until the pins were seen 0:   wait
//!   look at the range again                  ── nobody uses the place: it may get another range
//!   work, and unpin
//! ```

use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};

/// Where a range begins that is none.
pub(super) const NOWHERE: usize = usize::MAX;

/// A place for a range. New, it begins [`NOWHERE`] and has no pins.
pub(super) trait Place {
    fn start(&self, order: Ordering) -> usize;
    fn end(&self, order: Ordering) -> usize;
    fn set_start(&self, start: usize, order: Ordering);
    fn set_end(&self, end: usize, order: Ordering);
    /// `fetch_add(1)`.
    fn pin(&self, order: Ordering);
    /// `fetch_sub(1)`.
    fn unpin(&self, order: Ordering);
    /// `compare_exchange(0, 0)`: a write, though it changes nothing.
    fn is_unpinned(&self, order: Ordering) -> bool;
    /// Lets others run.
    fn give_way(&self);
}

/// Puts a range into a place that has none and is the caller's. What else the handler will need of
/// it is there already.
pub(super) fn put(place: &impl Place, start: usize, end: usize) {
    place.set_end(end, Relaxed);
    // Release: whoever sees this sees the end, and what else there is.
    place.set_start(start, Release);
}

/// Whether `address` is in the place's range. If so, the place is pinned, until [`leave`].
///
/// Async-signal-safe. It never waits, and it may interrupt itself.
pub(super) fn enter(place: &impl Place, address: usize) -> bool {
    // Nearly all places are not the one, and need not be written to.
    if !covers(place, address, Relaxed) {
        return false;
    }
    // Acquire: if somebody has found no pins here before, what he stored then is seen below.
    place.pin(Acquire);
    // It may be another range by now. Of this one we know that it stays.
    let entered = covers(place, address, Acquire);
    if !entered {
        leave(place);
    }
    entered
}

fn covers(place: &impl Place, address: usize, order: Ordering) -> bool {
    place.start(order) <= address && address < place.end(Relaxed)
}

/// Ends the use of a place.
///
/// Async-signal-safe.
pub(super) fn leave(place: &impl Place) {
    // Release: our use is over before the place is given to another range.
    place.unpin(Release);
}

/// Takes the range out, and returns when no handler uses the place.
pub(super) fn take_out(place: &impl Place) {
    place.set_start(NOWHERE, Relaxed);
    // A load would not do: it could come before the store above is seen by a handler that pins the
    // place just now. Two writes to one word have an order: either we see that handler's pin, or
    // it, by its Acquire, sees all that was before our Release.
    while !place.is_unpinned(AcqRel) {
        place.give_way();
    }
}
