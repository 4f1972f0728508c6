//! A file to read from, made when the first case needs it.

use std::cell::OnceCell;
use std::fs::File;

use super::{Pieces, Place, Plan, chill, reopen};
use crate::bench::stop;

/// A file of known contents, for many contenders in turns.
pub struct Source<'a> {
    plan: Plan,
    place: &'a Place,
    made: OnceCell<(File, u64)>,
}

impl<'a> Source<'a> {
    /// Of so many bytes; nothing is made yet.
    pub fn new(place: &'a Place, bytes: u64, pieces: Pieces) -> Source<'a> {
        Source { plan: Plan { bytes, pieces }, place, made: OnceCell::new() }
    }

    /// How many bytes it has.
    ///
    /// # Panics
    ///
    /// If they are more than this processor can address.
    #[expect(clippy::len_without_is_empty, reason = "nobody measures with an empty file")]
    pub fn len(&self) -> usize {
        usize::try_from(self.plan.bytes).expect("it can be mapped")
    }

    /// The file. Ends the bench if it cannot be made.
    pub fn file(&self) -> &File {
        &self.made().0
    }

    /// The sum of its bytes: every contender has to come to it.
    pub fn sum(&self) -> u64 {
        self.made().1
    }

    /// The file once more, for reading, with a position and a readahead state of its own.
    pub fn open(&self) -> File {
        reopen(self.file(), false).unwrap_or_else(|error| stop(&error))
    }

    /// The same, and nothing of it is in memory.
    pub fn open_cold(&self) -> File {
        chill(self.file()).unwrap_or_else(|error| stop(&error));
        self.open()
    }

    fn made(&self) -> &(File, u64) {
        self.made.get_or_init(|| self.plan.make(self.place).unwrap_or_else(|error| stop(&error)))
    }
}

/// Whether files here can be made cold.
///
/// # Errors
///
/// The reason why not.
pub fn can_be_cold(place: &Place) -> Result<(), String> {
    let probe = Plan { bytes: 1 << 16, pieces: Pieces::Large };
    let chilled = probe.make(place).and_then(|(file, _)| chill(&file));
    chilled.map_err(|error| format!("{}: {error}", place.file_system()))
}
