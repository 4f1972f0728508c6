//! The protocol that keeps a reader from seeing half a note: a sequence lock. Written once, over
//! whatever has a sequence and a text: the mapped file when it ships, loom's model of memory when
//! it is proved (`proof`).
//!
//! After Hans Boehm, "Can seqlocks get along with programming language memory models?" (2012):
//! the text is copied with relaxed accesses, and two fences order it against the sequence.

use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};

use ipc_common::Result;
use ipc_common::note::Before;

use super::layout::FIRST;

/// What a reader needs.
pub(crate) trait Looking {
    /// A copy of the text.
    type Copy;
    fn load_sequence(&self, order: Ordering) -> u32;
    fn fence(&self, order: Ordering);
    /// May be torn. Its accesses are relaxed.
    fn copy_out(&self) -> Self::Copy;
}

/// What a writer needs besides.
pub(crate) trait Changing: Looking {
    fn store_sequence(&self, value: u32, order: Ordering);
    /// Its accesses are relaxed. Fails if the memory has gone, in the middle perhaps.
    fn copy_in(&self, text: &[u8]) -> Result<()>;
}

/// What one look found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look<T> {
    /// A copy that is one whole note.
    Whole { copy: T, sequence: u32 },
    /// A write was under way, or its writer died: the sequence was odd.
    Odd(u32),
    /// A write began or ended while we copied.
    Changed,
}

/// Looks once.
pub(crate) fn look<S: Looking>(shared: &S) -> Look<S::Copy> {
    // Acquire: what the writer stored before this sequence is seen by the copy.
    let before = shared.load_sequence(Acquire);
    if before % 2 == 1 {
        return Look::Odd(before);
    }
    let copy = shared.copy_out();
    // If the copy saw a byte of a later note, the fences make us see that note's odd sequence.
    shared.fence(Acquire);
    let after = shared.load_sequence(Relaxed);
    if before == after { Look::Whole { copy, sequence: before } } else { Look::Changed }
}

/// Replaces the note. The caller holds the lock: there is one writer at a time.
///
/// If the copy fails, the sequence stays odd: what is there is nobody's note.
pub(crate) fn replace<S: Changing>(shared: &S, text: &[u8]) -> Result<Before> {
    let found = shared.load_sequence(Relaxed);
    // A dead writer left it odd; it stays odd, and so no reader ever takes that text for whole.
    let odd = found | 1;
    shared.store_sequence(odd, Relaxed);
    // No byte of the text is stored before the odd sequence.
    shared.fence(Release);
    shared.copy_in(text)?;
    // After the last number comes the first one, not 0, which is no note's.
    shared.store_sequence(odd.wrapping_add(1).max(FIRST), Release);
    Ok(if found == odd { Before::Abandoned } else { Before::Whole })
}

#[cfg(test)]
mod proof;
