//! The note: the text that the course's demos pass from process to process, and what a reader
//! can find when it looks.
//!
//! A note is not a queue: a new one replaces the old, whether anybody read it or not.

use crate::view::Text;

/// What a reader found. It never is half of one note and half of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A whole note.
    Whole {
        /// What it says; empty if nobody has written one yet.
        text: Text,
        /// Changes with each note of our own writers, even if the text stays the same. Strangers
        /// (the lecture's C programs) leave it as it is.
        sequence: u64,
    },
    /// The writer died in the middle: what is there may be half of two notes, so it is not shown.
    /// The next writer replaces it.
    Abandoned,
    /// Writers were at it each time we looked, and we do not look for ever. Try again.
    Busy,
}

impl Reading {
    /// The text of a whole note.
    pub fn text(&self) -> Option<&Text> {
        match self {
            Reading::Whole { text, .. } => Some(text),
            Reading::Abandoned | Reading::Busy => None,
        }
    }
}

/// What a writer found when it came to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// The last note was whole.
    Whole,
    /// Recovered: the last writer died in the middle of its note. This one took its place.
    Abandoned,
}
