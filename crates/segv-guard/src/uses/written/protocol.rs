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

/// For the collector, one at a time: tells `report` of every page that was written, and closes all
/// by `close`. Whether that could be done; if not, what was reported will be found again.
pub(crate) fn collect<M: Mark>(
    marks: &[M],
    mut report: impl FnMut(usize),
    close: impl FnOnce() -> bool,
) -> bool {
    let mut claimed = false;
    for (page, mark) in marks.iter().enumerate() {
        // Acquire: whoever collects after a write sees that the page was opened for it.
        match mark.load(Acquire) {
            CLEAN => continue,
            WRITTEN if mark.change(WRITTEN, TAKING, Acquire) => claimed = true,
            // It is just being opened; perhaps it has been written already. It counts as written,
            // stays in the hands it is in, and will be found again next time.
            _ => {}
        }
        report(page);
    }
    if !claimed {
        return true;
    }
    // All of them, claimed or not: an unclaimed page is closed already, or will be opened again
    // when it is written.
    let closed = close();
    for mark in marks {
        // Ours: there is no other collector.
        if mark.load(Relaxed) == TAKING {
            // Release: the page is closed before a handler may open it again.
            mark.store(if closed { CLEAN } else { WRITTEN }, Release);
        }
    }
    closed
}

/// For the handler that has found no room for opening one page: opens all of them, by `open`. They
/// count as written from then on: reported once too often rather than once too seldom. One at a
/// time. `give_way` lets those finish who have a page in hand.
pub(crate) fn open_all<M: Mark>(
    marks: &[M],
    give_way: impl Fn(),
    open: impl FnOnce() -> bool,
) -> bool {
    // First out of everybody's hands: a collector that has closed a page must not call it CLEAN
    // once it is open again.
    for mark in marks {
        // Nobody keeps a page for long, nor waits for anything with a page in hand, except us.
        while !(mark.change(CLEAN, OPENING, Acquire) || mark.change(WRITTEN, OPENING, Acquire)) {
            give_way();
        }
    }
    let opened = open();
    marks.iter().for_each(|mark| mark.store(WRITTEN, Release));
    opened
}
