//! What a writer wants of the segment that it opens or creates, and whether a text has room in it.

use ipc_common::{Errno, Error, Result};
use nix::unistd::geteuid;

use super::LECTURE_SIZE;
use crate::{Mode, Stat};

/// What kind of segment a writer wants. What is not named is a default for a new segment, and no
/// condition for one that is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// This size in bytes, and no other. Default for a new one: [`LECTURE_SIZE`].
    pub size: Option<usize>,
    /// This mode, and no other. Default for a new one: `0600`.
    pub mode: Option<Mode>,
}

impl Wanted {
    /// A segment that is there is taken if it has the size and mode that were named; and one of
    /// another user only if at least the size was named, so that nobody falls in with a stranger
    /// whose file happens to give the same key.
    pub(super) fn accept(&self, found: &Stat) -> Result<()> {
        // First: whatever size we named, the mode would keep us out.
        found.expect_writable()?;
        if let Some(mode) = self.mode {
            found.expect_mode(mode)?;
        }
        match self.size {
            Some(size) => found.expect_size(size),
            None => found.expect_owner(geteuid()),
        }
    }

    /// The size of a segment that is created.
    pub(super) fn new_size(&self) -> usize {
        self.size.unwrap_or(LECTURE_SIZE)
    }

    /// Whether a text of `len` bytes, and the NUL behind it, would fit into a new segment: better
    /// asked before one is created.
    ///
    /// # Errors
    ///
    /// `ERANGE` if not.
    pub fn expect_room(&self, len: usize) -> Result<()> {
        expect_room(len, self.new_size(), "shorten it, or ask for a segment of that size")
    }

    /// # Errors
    ///
    /// `EACCES` for a mode with which the creator could not attach what it has created.
    pub(super) fn expect_open_to_owner(&self) -> Result<()> {
        match self.mode {
            Some(mode) if !mode.is_open_to_owner() => {
                Err(Error::refused("mode", Errno::EACCES, mode.to_string()).with_remedy(
                    "this mode would keep the segment's own owner out, who has to read and write it; take 600, or 644 to let others read",
                ))
            }
            _ => Ok(()),
        }
    }
}

/// # Errors
///
/// `ERANGE` if a text of `len` bytes, and the NUL behind it, do not fit into `size` bytes.
pub(super) fn expect_room(len: usize, size: usize, way_out: &str) -> Result<()> {
    if len < size {
        return Ok(());
    }
    let about = format!("{len} bytes of text, {size} bytes of segment");
    Err(Error::refused("note", Errno::ERANGE, about).with_remedy(format!(
        "with its NUL the text needs {} bytes; {way_out}",
        len.saturating_add(1)
    )))
}
