//! How a handler reads the table while other threads replace it: without a lock, and without ever
//! seeing a table or an entry that was freed. Written once, over whatever has these words: statics
//! when it ships, loom's model of memory when it is proved (tests/proofs).
//!
//! ```text
//!   handler                              whoever removes a range (one at a time)
//!   ───────                              ───────────────────────
//!   count itself in, in one half         publish the table without it
//!   load the table, find the entry       until the other half was seen empty:   wait
//!   pin the entry                        send newcomers to the other half
//!   count itself out                     until this half was seen empty:        wait
//!   ask the entry's handler, however       ── nobody holds the old table: free it
//!     long that takes                    until the entry's pins are 0:          sleep
//!   unpin the entry, wake a remover        ── nobody uses the entry: free it
//! ```
//!
//! The two halves are those of Linux's sleepable RCU (kernel: Documentation/RCU, "srcu"): with one
//! counter, newcomers could keep it above 0 for ever; with two, each is only ever left.
//!
//! The pins are apart from the counters so that a handler that takes its time (it may be waiting
//! for a page to be filled) delays the removal of its own range, and of no other.

use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};

/// In an entry's word of pins: somebody sleeps until the rest of it is 0.
pub(super) const WANTED: u32 = 1 << 31;

/// What a handler needs.
pub(super) trait Reading {
    type Table: Copy;
    type Entry: Copy;

    /// The half in which newcomers count themselves.
    fn half(&self, order: Ordering) -> bool;
    /// `fetch_add(1)`.
    fn count_in(&self, half: bool, order: Ordering);
    /// `fetch_sub(1)`.
    fn count_out(&self, half: bool, order: Ordering);
    fn table(&self, order: Ordering) -> Self::Table;
    /// # Safety
    ///
    /// - The table is not freed before the call returns.
    unsafe fn find(&self, table: Self::Table, address: usize) -> Option<Self::Entry>;
    /// `fetch_add(1)`.
    ///
    /// # Safety
    ///
    /// - The entry is not freed before the call returns.
    unsafe fn pin(&self, entry: Self::Entry, order: Ordering);
    /// `fetch_sub(1)`, and what was there before.
    ///
    /// # Safety
    ///
    /// - The entry is not freed before the call's one access to it.
    unsafe fn unpin(&self, entry: Self::Entry, order: Ordering) -> u32;
    /// Wakes whoever sleeps on the entry's pins. The entry may be gone: it is a name only.
    fn wake(&self, entry: Self::Entry);
}

/// What a remover needs besides.
pub(super) trait Replacing: Reading {
    fn set_table(&self, table: Self::Table, order: Ordering);
    fn set_half(&self, half: bool, order: Ordering);
    /// `compare_exchange(0, 0)`: a write, though it changes nothing.
    fn is_empty(&self, half: bool, order: Ordering) -> bool;
    /// Lets others run.
    fn give_way(&self);
    /// `fetch_or(WANTED)`.
    ///
    /// # Safety
    ///
    /// - The entry is not freed yet. So for the next two.
    unsafe fn want(&self, entry: Self::Entry, order: Ordering);
    unsafe fn pins(&self, entry: Self::Entry, order: Ordering) -> u32;
    /// Sleeps if the pins are still `seen`, until [`Reading::wake`] or for no reason.
    unsafe fn sleep(&self, entry: Self::Entry, seen: u32);
}

/// The entry for `address`, pinned: it stays until [`release`].
///
/// Async-signal-safe. It never waits, and it may interrupt itself.
pub(super) fn find_and_pin<S: Reading>(shared: &S, address: usize) -> Option<S::Entry> {
    let half = shared.half(Relaxed);
    // Acquire: if the remover has found this half empty before, the new table is seen below.
    shared.count_in(half, Acquire);
    let table = shared.table(Acquire);
    // SAFETY: a remover frees a table once both halves were seen empty after another had been
    // published. We are counted; if it did not see that, we have seen the other table.
    let found = unsafe { shared.find(table, address) };
    if let Some(entry) = found {
        // SAFETY: likewise, an entry is freed after the tables that it was in.
        unsafe { shared.pin(entry, Relaxed) };
    }
    // Release: whoever finds the half empty has our pin, and our use of the table behind him.
    shared.count_out(half, Release);
    found
}

/// Ends the use of an entry.
///
/// Async-signal-safe.
///
/// # Safety
///
/// - [`find_and_pin`] has returned the entry, and this is the one call for that.
pub(super) unsafe fn release<S: Reading>(shared: &S, entry: S::Entry) {
    // Release: our use of the entry is over before it is freed.
    // SAFETY: the pin that is taken back here has kept it from being freed.
    if unsafe { shared.unpin(entry, Release) } == WANTED + 1 {
        shared.wake(entry);
    }
}

/// Publishes another table and returns when nobody looks at the one before: it may be freed then.
/// One caller at a time.
pub(super) fn replace<S: Replacing>(shared: &S, table: S::Table) {
    // Release: its contents are seen by those who see it.
    shared.set_table(table, Release);
    let half = shared.half(Relaxed);
    // Stragglers first: those who read `half` before the last call had changed it.
    wait_for_empty(shared, !half);
    shared.set_half(!half, Relaxed);
    wait_for_empty(shared, half);
}

pub(super) fn wait_for_empty<S: Replacing>(shared: &S, half: bool) {
    // A load would not do: it could come before the new table is seen by a handler that counts
    // itself in just now. Two writes to one word have an order: either we see that handler, or
    // it, by its Acquire, sees all that was before our Release.
    while !shared.is_empty(half, AcqRel) {
        shared.give_way();
    }
}

/// Returns when nobody uses an entry any more that was in no table since [`replace`].
///
/// # Safety
///
/// - The entry is not freed yet, and this is the only call for it.
pub(super) unsafe fn wait_for_unpinned<S: Replacing>(shared: &S, entry: S::Entry) {
    // SAFETY: the caller's promise, in all of them.
    unsafe {
        shared.want(entry, Relaxed);
        loop {
            // Acquire: the last user's use is over.
            let pins = shared.pins(entry, Acquire);
            if pins == WANTED {
                return;
            }
            shared.sleep(entry, pins);
        }
    }
}
