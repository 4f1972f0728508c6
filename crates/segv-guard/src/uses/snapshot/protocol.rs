//! In which order a page is saved, opened and read, so that a snapshot never shows a byte that was
//! written after it. Written once, over whatever has a state: a page when it ships, loom's model of
//! one when it is proved (tests/proofs).
//!
//! ```text
//!                      a handler claims                 opened
//!    FREE ──► HELD ──► SHARED ──► SAVING ──► OPENING ──► SAVED ──► HELD ──► FREE
//!    open    closed by                       copied      open      opened by
//!            arm()                                                 disarm()
//! ```
//!
//! As in write tracking, **a page is never open while it is SHARED**, and a page that somebody has
//! in hand (HELD, SAVING, OPENING) is changed by nobody else.
//!
//! The fences are `SeqCst`, in pairs: one between "it is saved" and opening the page, one between
//! copying out of the page and asking whether it is saved. The stores that follow the opening are
//! the program's own, on any thread, and release nothing by themselves.

use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release, SeqCst};

/// There is no snapshot; the page is open.
pub(crate) const FREE: u8 = 0;
/// Who begins or ends a snapshot has it in hand.
pub(crate) const HELD: u8 = 1;
/// The snapshot's page is the memory's own, which is read-only.
pub(crate) const SHARED: u8 = 2;
/// A handler copies it.
pub(crate) const SAVING: u8 = 3;
/// It was copied; a handler opens it.
pub(crate) const OPENING: u8 = 4;
/// It was copied. Open, unless there was no mapping left for that: then the next fault opens it.
pub(crate) const SAVED: u8 = 5;

/// The state of a page.
pub(crate) trait Mark {
    fn load(&self, order: Ordering) -> u8;
    fn store(&self, state: u8, order: Ordering);
    /// Whether it was `from`, and is `to` now.
    fn change(&self, from: u8, to: u8, success: Ordering) -> bool;
    fn fence(&self, order: Ordering);
}

/// Begins a snapshot: `close` makes all pages read-only. Whether it could.
pub(crate) fn arm<M: Mark>(marks: &[M], give_way: impl Fn(), close: impl FnOnce() -> bool) -> bool {
    hold(marks, give_way);
    let closed = close();
    let_go(marks, if closed { SHARED } else { FREE });
    closed
}

/// Ends it: `open` makes all pages writable, and whether it could.
pub(crate) fn disarm<M: Mark>(marks: &[M], give_way: impl Fn(), open: impl FnOnce() -> bool) {
    hold(marks, give_way);
    // If pages stay closed, which they have no reason to, the next fault opens them.
    let opened = open();
    let_go(marks, if opened { FREE } else { SAVED });
}

/// Takes all pages in hand.
fn hold<M: Mark>(marks: &[M], give_way: impl Fn()) {
    for mark in marks {
        // A handler keeps a page for a copy and an mprotect, and waits for nothing meanwhile.
        while ![FREE, SHARED, SAVED].iter().any(|from| mark.change(*from, HELD, Acquire)) {
            give_way();
        }
    }
}

/// Lets go of all pages.
pub(crate) fn let_go<M: Mark>(marks: &[M], state: u8) {
    // Release: pages are closed or opened before a handler may have them.
    marks.iter().for_each(|mark| mark.store(state, Release));
}

/// For the handler, after a write to a closed page: claims it, and saves it by `copy` if it is not
/// saved yet. Whether it may be opened now, and marked SAVED after that; if not, somebody else has
/// it in hand, or there is no snapshot any more.
pub(crate) fn claim_saved<M: Mark>(mark: &M, copy: impl FnOnce()) -> bool {
    if mark.change(SAVED, OPENING, Acquire) {
        return true;
    }
    if !mark.change(SHARED, SAVING, Acquire) {
        return false;
    }
    copy();
    // Release: the copy is there before anybody looks for it.
    mark.store(OPENING, Release);
    mark.fence(SeqCst);
    true
}

/// For the handler: the page is open, or could not be opened.
pub(crate) fn settle<M: Mark>(mark: &M) {
    mark.store(SAVED, Release);
}

/// For the handler that has found no room for opening its page, which it still has in hand: saves
/// all others, so that all can be opened at once. Whether they can: if not, somebody waits for the
/// page in hand in order to begin or end a snapshot, and is to be let.
pub(crate) fn save_all<M: Mark>(marks: &[M], copy: impl Fn(usize), give_way: impl Fn()) -> bool {
    for (page, mark) in marks.iter().enumerate() {
        loop {
            match mark.load(Acquire) {
                OPENING | SAVED => break,
                FREE | HELD => return false,
                SHARED if claim_saved(mark, || copy(page)) => settle(mark),
                _ => give_way(),
            }
        }
    }
    true
}

/// For who reads a snapshot: copies by `from_memory`, and by `from_store` if the page was saved
/// before, or while that went on.
pub(crate) fn read<M: Mark, E>(
    mark: &M,
    mut from_memory: impl FnMut() -> Result<(), E>,
    from_store: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    // Acquire: if it is saved, the saved bytes are seen.
    if matches!(mark.load(Acquire), SHARED | SAVING) {
        from_memory()?;
        // If the copy saw a byte that was written since, the load below sees that it was saved.
        mark.fence(SeqCst);
        if matches!(mark.load(Relaxed), SHARED | SAVING) {
            return Ok(());
        }
        mark.fence(Ordering::Acquire);
    }
    from_store()
}
