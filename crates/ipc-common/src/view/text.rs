//! Text in shared memory, as the lecture's C programs keep it: bytes up to the first NUL.
//!
//! The lecture writes it with `strncpy(data, argv[1], SHM_SIZE)`, which leaves no NUL behind a
//! text as long as the segment, and reads it with `printf("%s")`, which then runs on past the end
//! of the segment: 1,024 bytes were read as 4,102. Here neither can happen.

use std::fmt;

use nix::errno::Errno;

use super::{ReadView, WriteView, more_good};
use crate::error::{Error, Result};
use crate::shown;

/// A copy of text out of shared memory: the bytes before the first NUL.
///
/// `Display` shows all of it on one line: what is not valid UTF-8, and what would drive the
/// terminal (a stranger may have written it), appears as `\xNN`, `\n`, `\t` or `\u{…}`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Text {
    bytes: Vec<u8>,
    terminated: bool,
}

/// How much of a text [`WriteView::put_text`] could store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a text that was cut short should not pass for a whole one"]
pub struct Stored {
    /// Bytes stored, not counting the NUL after them.
    pub bytes: usize,
    /// Bytes for which there was no room. 0: the text is all there.
    pub cut: usize,
}

impl<'a> ReadView<'a> {
    /// Copies out the text at the start of the view: up to its first NUL, or all of the view
    /// if it holds none, which [`Text::is_terminated`] then says.
    ///
    /// The text is looked at once only, so that length and bytes belong together; whether all the
    /// bytes belong to one note is for a lock to say.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is no memory for the copy; `EIO` and `EFAULT` as for [`ReadView::read`], if a fault was met before the NUL;
    /// [`Error::good_bytes`] counts from the start of the text.
    pub fn text(self) -> Result<Text> {
        let mut bytes = Vec::new();
        let mut block = [0; 512];
        while bytes.len() < self.len() {
            let block = &mut block[..512.min(self.len() - bytes.len())];
            let done = bytes.len();
            // A stranger decides how long it gets.
            bytes.try_reserve(block.len()).map_err(|_| {
                Error::refused("ReadView::text", Errno::ENOMEM, format!("more than {done} bytes"))
            })?;
            self.read(done, block).map_err(|error| more_good(error, done))?;
            if let Some(nul) = block.iter().position(|byte| *byte == 0) {
                bytes.extend_from_slice(&block[..nul]);
                return Ok(Text { bytes, terminated: true });
            }
            bytes.extend_from_slice(block);
        }
        Ok(Text { bytes, terminated: false })
    }
}

impl WriteView<'_> {
    /// Stores `text` and a NUL at the start of the view. A text that does not fit is cut, between
    /// characters if it is UTF-8, so that the NUL always fits; what was cut is reported.
    ///
    /// # Errors
    ///
    /// `EINVAL` if `text` holds a NUL, behind which nobody would look; `ERANGE` if the view has
    /// no byte for the NUL. Nothing is written then. `EIO` and `EFAULT` as for
    /// [`WriteView::write`].
    ///
    /// ```
    /// use ipc_common::view::{Stored, WriteView};
    /// use std::sync::atomic::AtomicU32;
    ///
    /// let memory = [const { AtomicU32::new(0) }; 2];
    /// let view = WriteView::of_atomics(&memory);
    /// assert_eq!(view.put_text("ça marche".as_bytes())?, Stored { bytes: 7, cut: 3 });
    /// assert_eq!(view.text()?.to_string(), "ça mar");
    /// # Ok::<(), ipc_common::Error>(())
    /// ```
    pub fn put_text(self, text: &[u8]) -> Result<Stored> {
        refuse_nul(text)?;
        let Some(room) = self.len().checked_sub(1) else {
            return Err(super::outside("WriteView::put_text", 0, 1, 0));
        };
        let stored = whole_characters(text, room);
        // The NUL first: a reader without a lock may then see an old tail, but never runs on
        // past the new text's end.
        self.write(stored, &[0])?;
        self.write(0, &text[..stored])?;
        Ok(Stored { bytes: stored, cut: text.len() - stored })
    }
}

fn refuse_nul(text: &[u8]) -> Result<()> {
    let Some(at) = text.iter().position(|byte| *byte == 0) else { return Ok(()) };
    Err(Error::refused("WriteView::put_text", Errno::EINVAL, format!("a NUL at byte {at}"))
        .with_remedy("the text ends at its first NUL, so the rest would be lost; take the NUL out"))
}

/// The longest prefix of at most `room` bytes that does not split a UTF-8 character.
fn whole_characters(text: &[u8], room: usize) -> usize {
    if text.len() <= room {
        return text.len();
    }
    // A character has at most four bytes, so one boundary lies among the last four places.
    (room.saturating_sub(3)..=room)
        .rev()
        .find(|cut| text[*cut] & 0b1100_0000 != 0b1000_0000)
        .unwrap_or(room)
}

impl Text {
    /// The bytes before the NUL.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes before the NUL, to keep.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The text, if it is UTF-8.
    pub fn to_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// How many bytes there are before the NUL.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the very first byte was the NUL.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether there was a NUL at all. If not, this is the whole memory, and whoever wrote it
    /// forgot the end.
    pub fn is_terminated(&self) -> bool {
        self.terminated
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown::on_one_line(f, &self.bytes)
    }
}
