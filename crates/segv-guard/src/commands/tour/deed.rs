//! A deed: one illegal access, and what has to be there for it.

use std::ops::Range;

use ipc_common::Result;

use super::deeds;

/// One illegal access.
pub struct Deed {
    /// What it is called by: `null-read`.
    pub name: &'static str,
    /// What a program would have done: `*p, where p is NULL`.
    pub done: &'static str,
    /// Makes what is needed. `Err` says why that is not possible on this machine.
    pub arrange: fn() -> std::result::Result<Arranged, String>,
}

/// Everything is ready for the deed.
pub struct Arranged {
    /// Where.
    pub at: usize,
    /// What.
    pub act: Act,
    /// What turns good memory into bad, once the parent has seen it while it was good.
    pub spoil: Option<fn(usize) -> Result<()>>,
    /// Something with a name near by.
    pub object: Option<(Range<usize>, &'static str)>,
}

/// What is done at the address.
#[derive(Clone, Copy)]
pub enum Act {
    /// Load a byte.
    Read,
    /// Load eight bytes.
    ReadWord,
    /// Store a byte.
    Write,
    /// Call it as a function.
    Call,
    /// Some other thing, by a function that is given the address.
    Other(unsafe fn(usize)),
}

impl Arranged {
    pub fn new(at: usize, act: Act) -> Arranged {
        Arranged { at, act, spoil: None, object: None }
    }

    pub fn spoiled_by(self, spoil: fn(usize) -> Result<()>) -> Arranged {
        Arranged { spoil: Some(spoil), ..self }
    }
}

/// All of them, in the order of the tour.
pub fn all() -> impl Iterator<Item = &'static Deed> {
    [deeds::ADDRESSES, deeds::PAGES, deeds::FILES, deeds::STACKS, deeds::ALIGNMENT]
        .into_iter()
        .flatten()
}

pub fn named(name: &str) -> Option<&'static Deed> {
    all().find(|deed| deed.name == name)
}
