//! Who puts zeros in the place of the missing pages when several threads fault at once. Written
//! once, over whatever has these words: atomics when it ships, loom's model of them when it is
//! proved (tests/proofs).
//!
//! ```text
//!   handler                                 another one
//!   ───────                                 ───────────
//!   claim                                   claim: not to be had. Its instruction runs again,
//!   look: zeros are where, by now?            and faults again, until the page is there
//!   put zeros up to there
//!   note where they are, and let go
//! ```
//!
//! Without the claim, two would find the page missing, and the second one's zeros would wipe out
//! what was stored in the first one's. Without the look *after* the claim, likewise: the other may
//! have been at it, and be done.

use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};

/// Set before the first zeros are there.
pub(super) trait Flag {
    fn fence(&self, order: Ordering);
    fn load(&self, order: Ordering) -> bool;
}

/// For whoever has used the memory, and asks afterwards whether it was zeros.
#[inline]
pub(super) fn were_there(flag: &impl Flag) -> bool {
    // A fence, and before: an Acquire load keeps back only what comes *after* it, and the access
    // that is in question came before.
    flag.fence(Acquire);
    flag.load(Relaxed)
}

/// Where the zeros of a mapping begin, and who is putting some there.
pub(super) trait Zeros {
    /// All pages from here on are zeros.
    fn begin(&self, order: Ordering) -> usize;
    fn set_begin(&self, page: usize, order: Ordering);
    /// Whether nobody has had the claim, and the caller has it now.
    fn claim(&self, success: Ordering) -> bool;
    fn let_go(&self, order: Ordering);
}

/// What became of a missing page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It is there.
    There,
    /// Another handler is at it.
    Elsewhere,
    /// No zeros could be had.
    Refused,
}

/// Whether another handler was faster. What it put there may be in use already.
pub(super) fn are_at(zeros: &impl Zeros, page: usize) -> bool {
    zeros.begin(Acquire) <= page
}

/// Puts zeros from `page` on, by `map`, up to those that there are or the end of the mapping.
///
/// Async-signal-safe, but not when it interrupts itself: then it would wait for the claim of those
/// whom it keeps from letting go.
pub(super) fn put(
    zeros: &impl Zeros,
    page: usize,
    end: usize,
    map: impl FnOnce(usize) -> bool,
) -> Put {
    // Acquire: what whoever had it before has noted is seen below.
    if !zeros.claim(Acquire) {
        return Put::Elsewhere;
    }
    let begin = zeros.begin(Relaxed);
    let there = begin <= page || {
        let done = map(begin.min(end));
        if done {
            // Release, for `are_at`: the zeros are there before they are said to be.
            zeros.set_begin(page, Release);
        }
        done
    };
    // Release: whoever claims next sees what was noted.
    zeros.let_go(Release);
    if there { Put::There } else { Put::Refused }
}
