//! Pass a note: a bulletin board in a System V segment. Read README.md first: it draws the memory.
//!
//! Everything is yours to write but the part marked *given*. Add types, functions and modules in
//! this file as you like; keep the names and signatures of what is public here.

use std::path::Path;

use ipc_common::Result;

// ---- given: the numbers of the drawing in README.md, and what goes in and out ----

/// At offset 0 of a board that is set up: the bytes `NOTE`.
pub const MAGIC: u32 = u32::from_ne_bytes(*b"NOTE");
/// At offset 4.
pub const VERSION: u32 = 1;
/// Bytes before the first slot.
pub const HEADER: usize = 32;
/// Bytes of a slot before its text.
pub const SLOT_HEADER: usize = 16;
/// A slot's state: nothing in it. New memory is all zero, so all slots begin as this.
pub const FREE: u32 = 0;
/// A slot's state: somebody is writing, or died while writing. Nobody reads it.
pub const WRITING: u32 = 1;
/// A slot's state: a whole note, which never changes again.
pub const POSTED: u32 = 2;
/// A board has 1 to this many slots.
pub const MAX_SLOTS: u32 = 65_536;
/// The room for text in each slot is a multiple of 8, from 8 to this many bytes.
pub const MAX_ROOM: u32 = 16 * 1024 * 1024;

/// How large a board is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many notes it holds.
    pub slots: u32,
    /// Bytes for the text of each, with the NUL that ends it: the longest text is one shorter.
    pub room: u32,
}

/// A note as a reader gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The slot it hangs in.
    pub slot: u32,
    /// Its text, without the NUL.
    pub text: Vec<u8>,
}

// ---- yours ----

/// A board that this process may post to: attached read-write until this is dropped.
pub struct Poster {
    // What do you need? The address, at least; and something to keep other posters out with.
}

/// A board that this process may only read: attached read-only until this is dropped.
pub struct Reader {
    // What do you need?
}

impl Poster {
    /// Opens the board of this key file and project; makes it if there is none, and finishes one
    /// whose maker died too early.
    ///
    /// The key is `ftok` of `file` and `project`. A new board is a segment of exactly the size
    /// drawn in README.md, with mode 0600. Many processes may do this at once: all get one board.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: `file` is a relative path; `shape` is out of its limits; `project` is no good.
    /// - `ENOENT`: there is no such `file`.
    /// - `EEXIST`: the segment with this key is no board of this shape: another size, another
    ///   mode, another magic, version or shape. It stays as it is.
    pub fn open(file: &Path, project: i32, shape: Shape) -> Result<Poster> {
        todo!("open the board of {} and {project:#x}, or make it as {shape:?}", file.display())
    }

    /// Hangs a note with this text in a slot that has none, and returns the slot's number.
    ///
    /// No two notes get the same slot, and no reader sees half of one, however many post at once.
    /// A process that dies in here blocks nobody and costs no slot.
    ///
    /// # Errors
    ///
    /// Nothing changes if it fails.
    ///
    /// - `EMSGSIZE`: the text and its NUL do not fit.
    /// - `EINVAL`: the text holds a NUL.
    /// - `ENOSPC`: there is a note in every slot.
    /// - `EIDRM`: the board has been taken down.
    pub fn post(&self, text: &[u8]) -> Result<u32> {
        todo!("post the {} bytes of text", text.len())
    }
}

impl Reader {
    /// Opens the board of this key file and project for reading. Never makes one.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: `file` is a relative path; `project` is no good.
    /// - `ENOENT`: no such `file`, no segment with that key, or one that is not set up yet.
    /// - `EEXIST`: the segment with this key is no board: another mode, magic or version, or a
    ///   size that does not fit its slots and room.
    pub fn open(file: &Path, project: i32) -> Result<Reader> {
        todo!("open the board of {} and {project:#x} for reading", file.display())
    }

    /// The text of the note in this slot; `None` if there is no whole note in it.
    ///
    /// # Errors
    ///
    /// - `EINVAL`: the board has no such slot.
    /// - `EBADMSG`: the slot's length cannot be true. Nothing outside the slot is read.
    pub fn read(&self, slot: u32) -> Result<Option<Vec<u8>>> {
        todo!("read slot {slot}")
    }

    /// All whole notes, in the order of their slots. Slots that [`Reader::read`] finds damaged
    /// are left out.
    ///
    /// # Errors
    ///
    /// None that a sound board gives.
    pub fn list(&self) -> Result<Vec<Note>> {
        todo!("list the notes of all slots")
    }
}

/// Takes the board of this key file and project down: marks it for removal.
///
/// Who is attached goes on reading, until the last one detaches; then nothing of the board is
/// left: no segment, and nothing else that was made for it. Its key is free at once.
///
/// # Errors
///
/// - `EINVAL`: `file` is a relative path; `project` is no good.
/// - `ENOENT`: there is none.
/// - `EEXIST`: the segment with this key is no board. It stays.
pub fn take_down(file: &Path, project: i32) -> Result<()> {
    todo!("take down the board of {} and {project:#x}", file.display())
}
