//! Shared mailbox: one message in a mapped file. Read README.md first: it draws the file.
//!
//! Everything is yours to write but the part marked *given*. Add types, functions and modules in
//! this file as you like; keep the names and signatures of what is public here.

use std::path::Path;

use ipc_common::Result;

// ---- given: the numbers of the drawing in README.md, and what goes in and out ----

/// The first eight bytes of a mailbox.
pub const MAGIC: [u8; 8] = *b"MAILBOX1";
/// Bytes before the text.
pub const HEADER: usize = 64;
/// Where the capacity stands: a u32, as all numbers here, in the byte order of the machine.
pub const AT_CAPACITY: usize = 8;
/// Where the sequence stands: 0 before the first message, odd while one is written.
pub const AT_SEQUENCE: usize = 12;
/// Where the length of the text stands.
pub const AT_LENGTH: usize = 16;
/// From here to [`HEADER`] the bytes are yours to use. They begin as zeros.
pub const AT_YOURS: usize = 20;
/// A mailbox has room for 1 to this many bytes of text.
pub const MAX_CAPACITY: u32 = 64 * 1024 * 1024;

/// A message as a reader gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sequence that stood in the mailbox with it: even, and another one for each message.
    pub sequence: u32,
    /// All of its bytes.
    pub text: Vec<u8>,
}

// ---- yours ----

/// A mailbox that this process may send to: mapped for reading and writing until this is dropped.
pub struct Writer {
    // What do you need? The address, at least; and something to keep other writers out with.
}

/// A mailbox that this process only reads: mapped for reading alone until this is dropped.
pub struct Reader {
    // What do you need?
}

impl Writer {
    /// Opens the mailbox at `path`, or makes an empty one if there is no file.
    ///
    /// A new file has mode 0600 and exactly `HEADER + capacity` bytes, for all of which the file
    /// system has reserved space. It appears under its name only when it is complete. If several
    /// processes make it at once, all get the same one.
    ///
    /// # Errors
    ///
    /// A file that is there stays as it is, whatever it is.
    ///
    /// - `EINVAL`: `capacity` is 0 or above [`MAX_CAPACITY`].
    /// - `EEXIST`: what is at `path` is no mailbox of this capacity: another length, magic or
    ///   capacity, or no regular file.
    /// - `ELOOP`: `path` is a symbolic link. It is not followed.
    /// - those of open(2) and posix_fallocate(3).
    pub fn open(path: &Path, capacity: u32) -> Result<Writer> {
        todo!("open the mailbox {} for {capacity} bytes, or make it", path.display())
    }

    /// Puts a message in the place of the last one, and returns its sequence.
    ///
    /// The sequence goes from even to odd before the first byte changes, and on to the next even
    /// number when the message is complete; after the last even number comes 2, as 0 means that
    /// there never was a message. Writers keep each other out. One that dies in here blocks
    /// nobody, and the next one that sends puts the mailbox right.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if the text is longer than the capacity. The old message stays.
    pub fn send(&self, text: &[u8]) -> Result<u32> {
        todo!("send the {} bytes of text", text.len())
    }
}

impl Reader {
    /// Opens the mailbox at `path` for reading; makes an empty one, just as [`Writer::open`] does,
    /// if there is no file: whoever starts first makes it. A file that is there is opened for
    /// reading only, and need not be writable.
    ///
    /// # Errors
    ///
    /// Those of [`Writer::open`].
    pub fn open(path: &Path, capacity: u32) -> Result<Reader> {
        todo!("open the mailbox {} for {capacity} bytes for reading, or make it", path.display())
    }

    /// The message that is there now, whole; `None` if there never was one. Changes nothing.
    ///
    /// # Errors
    ///
    /// - `EAGAIN`: a writer has been in the middle of a message all the time, or died there. It
    ///   takes no longer than about a second to say so.
    /// - `EBADMSG`: the length cannot be true. Nothing outside the mailbox is read.
    pub fn read(&self) -> Result<Option<Message>> {
        todo!("read the message")
    }
}
