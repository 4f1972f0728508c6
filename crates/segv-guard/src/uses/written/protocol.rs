//! In which order a page is marked as written and opened, so that no write is lost: neither to a
//! handler on another thread, nor to whoever collects the marks meanwhile. Written once, over
//! whatever has a state and can be opened and closed: a page and mprotect(2) when it ships, loom's
//! model of both when it is proved (tests/proofs).
//!
//! ```text
//!                 handler claims           opened
//!      CLEAN ────────────────────► OPENING ──────► WRITTEN
//!   closed  ▲                        ▲  │ no room:      │ │
//!           │                        └──┼───────────────┘ │ collector claims
//!           │                           │ put back        ▼
//!           └───────────────────────────┴────────────── TAKING
//!                                         closed
//! ```
//!
//! One rule carries it all: **a page is never open while it is CLEAN.** The two ways that come to
//! mind first break it:
//!
//! - *Mark, then open.* Between the two, a collector takes the mark and closes the page; then the
//!   handler opens it. It is open and clean: what is written now is never reported.
//! - *Open, then mark.* Between the two, another thread writes without a fault, and says so; who
//!   collects then is told that nothing was written.
//!
//! So opening and closing are each enclosed in a state of their own, which nobody else may change.
//! Nobody waits in either: a handler that finds its page claimed lets the instruction run again.

use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};

/// Closed, and nothing was written since the last collection.
pub(crate) const CLEAN: u8 = 0;
/// A handler is about to open it, or has, and is about to say so.
pub(crate) const OPENING: u8 = 1;
/// Something was written. Open; or closed by a collector that closed all pages at once, between
/// a handler's opening it and its saying so.
pub(crate) const WRITTEN: u8 = 2;
/// A collector is about to close it, or has, and is about to say so.
pub(crate) const TAKING: u8 = 3;

/// The state of a page.
pub(crate) trait Mark {
    fn load(&self, order: Ordering) -> u8;
    fn store(&self, state: u8, order: Ordering);
    /// Whether it was `from`, and is `to` now.
    fn change(&self, from: u8, to: u8, success: Ordering) -> bool;
}

/// What became of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The page is open.
    Opened,
    /// Somebody else has it in hand.
    Elsewhere,
    /// It could not be opened, and is as it was.
    NoRoom,
}

/// For the handler, after a write to a closed page. `open` is what opens it.
pub(crate) fn write_fault<M: Mark>(mark: &M, open: impl FnOnce() -> bool) -> Fault {
    let before = mark.load(Relaxed);
    if before == OPENING || before == TAKING {
        return Fault::Elsewhere;
    }
    // Acquire: if it is CLEAN because a collector closed it, it has done so.
    if !mark.change(before, OPENING, Acquire) {
        return Fault::Elsewhere;
    }
    let opened = open();
    // Release: the page is open before others hear of it.
    mark.store(if opened { WRITTEN } else { before }, Release);
    if opened { Fault::Opened } else { Fault::NoRoom }
}

/// What a collector finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Clean,
    /// Claimed: it is to be closed, and settled then.
    Claimed,
    /// It is just being opened; perhaps it has been written already. It counts as written, and
    /// will be found again next time.
    BeingOpened,
}

/// For the collector: looks at a page, before the pages are closed. One collector at a time.
pub(crate) fn claim<M: Mark>(mark: &M) -> Found {
    // Acquire: whoever collects after a write sees that the page was opened for it.
    match mark.load(Acquire) {
        CLEAN => Found::Clean,
        WRITTEN if mark.change(WRITTEN, TAKING, Acquire) => Found::Claimed,
        _ => Found::BeingOpened,
    }
}

/// For the collector: after a page that it had claimed was closed, or could not be.
pub(crate) fn settle<M: Mark>(mark: &M, closed: bool) {
    // Release: the page is closed before a handler may open it again.
    mark.store(if closed { CLEAN } else { WRITTEN }, Release);
}

/// For the handler that has found no room for opening one page, and opens all of them: takes a
/// page out of everybody's hands first. `give_way` lets those finish who have it.
pub(crate) fn seize<M: Mark>(mark: &M, give_way: impl Fn()) {
    // Others never keep a page for long, nor wait for anything while they do.
    while !(mark.change(CLEAN, OPENING, Acquire) || mark.change(WRITTEN, OPENING, Acquire)) {
        give_way();
    }
}

/// For the same: after all pages were opened, or could not be.
pub(crate) fn hand_back<M: Mark>(mark: &M) {
    // Whatever it was before: reported once too often rather than once too seldom.
    mark.store(WRITTEN, Release);
}
