//! Writing notes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipc_common::note::Before;
use ipc_common::{Errno, Error, PageSize, Result};

use super::adopt::{Adopt, is_note, put_trailer, renew, take_over};
use super::layout::Layout;
use super::mapped::Held;
use super::seqlock::replace;
use super::whereabouts::{Whereabouts, whereabouts};
use crate::lock::lock_within;
use crate::mapping::{MapOptions, Mapping};
use crate::open::{Found, create_new, open_or_create};

/// A note file, open and mapped for writing.
///
/// ```
/// use ipc_common::note::{Before, Reading};
/// use mmap_file::note::{Adopt, NoteReader, NoteWriter};
/// use std::time::Duration;
/// # let folder = std::env::temp_dir().join(format!("mmap-note-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// # let path = folder.join("note");
///
/// let second = Duration::from_secs(1);
/// let (mut writer, _found) = NoteWriter::open(&path, Adopt::Lecture, second)?;
/// assert_eq!(writer.write(b"hello", second)?, Before::Whole);
///
/// let mut reader = NoteReader::open(&path)?;
/// assert_eq!(reader.read()?.text().unwrap().to_string(), "hello");
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct NoteWriter {
    path: PathBuf,
    file: File,
    mapping: Mapping,
    layout: Layout,
    /// What it wrote last, by which `renew` knows what is left of it.
    last: Vec<u8>,
}

impl NoteWriter {
    /// Opens the note at `path`; creates it, one page long, with mode 0600, if it is not there;
    /// and makes a note of another file if `adopt` allows that. Which of them, [`Found`] says.
    ///
    /// # Errors
    ///
    /// Those of [`open_or_create`]; `EEXIST` for a file that is no note; `ENOSPC` if there is no
    /// room; `EAGAIN` if a file to be adopted stayed locked for longer than `patience`, or if somebody
    /// cut the file shorter just then.
    pub fn open(
        path: impl AsRef<Path>,
        adopt: Adopt,
        patience: Duration,
    ) -> Result<(NoteWriter, Found)> {
        let path = path.as_ref();
        let page = PageSize::system().bytes();
        let layout = Layout::of(page as u64).expect("pages are powers of two, and not tiny");
        let fill = |file: &File| put_trailer(file, layout);
        let (file, found) = open_or_create(path, page as u64, 0o600, fill)?;
        if !is_note(&file)? {
            let lock = lock_within(&file, patience)?;
            // Another writer may have adopted it while we waited.
            if !is_note(&file)? {
                take_over(&file, adopt)?;
            }
            drop(lock);
        }
        Ok((NoteWriter::of(path, file)?, found))
    }

    /// Creates a note file of `len` bytes: room for a text of `len - 65`.
    ///
    /// # Errors
    ///
    /// Those of [`create_new`], `EEXIST` above all; `EINVAL` for a length that no note file has: a
    /// multiple of 64, from 128 to [`LONGEST_FILE`](super::LONGEST_FILE); `EAGAIN` as for
    /// [`open`](NoteWriter::open).
    pub fn create(path: impl AsRef<Path>, len: usize) -> Result<NoteWriter> {
        let layout = Layout::of(len as u64).ok_or_else(|| {
            Error::refused("note", Errno::EINVAL, format!("{len} bytes")).with_remedy(
                "a note file has a multiple of 64 bytes, at least 128 and at most 16 MiB",
            )
        })?;
        let fill = |file: &File| put_trailer(file, layout);
        let file = create_new(path.as_ref(), len as u64, 0o600, fill)?;
        NoteWriter::of(path.as_ref(), file)
    }

    fn of(path: &Path, file: File) -> Result<NoteWriter> {
        let (mapping, layout) = map(path, &file)?;
        Ok(NoteWriter { path: path.to_owned(), file, mapping, layout, last: Vec::new() })
    }

    /// How many bytes of text there is room for.
    pub fn capacity(&self) -> usize {
        self.layout.capacity()
    }

    /// Replaces the note, waiting for other writers for `patience` at most, and wakes the readers.
    ///
    /// Other processes see it at once. So does everyone who comes later, also after kill -9 of all
    /// of us or an orderly reboot; after a power cut, only if [`flush`](NoteWriter::flush) came
    /// back in time.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if the text is too long, `EINVAL` if it holds a NUL, `EAGAIN` if another writer
    /// had the lock all the time: nothing has been written then. `EBADMSG` if the file is no note
    /// any more: it was cut shorter or overwritten, before or meanwhile; a reader may have seen the
    /// whole text before that, or nothing of it, and [`renew`](NoteWriter::renew) may help.
    pub fn write(&mut self, text: &[u8], patience: Duration) -> Result<Before> {
        self.check(text)?;
        let lock = lock_within(&self.file, patience)?;
        // Under the lock, no writer of ours changes length or trailer; a stranger may have, or may
        // do so meanwhile: what was stored where the file has no bytes (any more) is lost.
        self.still_note()?;
        let written = self.replace(text);
        // First, as it says more than the fault that it may have been.
        self.still_note()?;
        let before = written?;
        drop(lock);
        text.clone_into(&mut self.last);
        Ok(before)
    }

    fn replace(&self, text: &[u8]) -> Result<Before> {
        let view = self.mapping.write_view()?;
        let shared = Held {
            sequence: view.atomic_u32(self.layout.sequence())?,
            text: view.part(0, self.layout.trailer())?,
        };
        let before = replace(&shared, text)?;
        view.wake_all(self.layout.sequence())?;
        Ok(before)
    }

    /// Whether the file has the length that it had, a trailer, and the bytes that are mapped.
    fn still_note(&self) -> Result<()> {
        let found = self
            .file
            .metadata()
            .map_err(|error| Error::from_io("fstat", &error, self.path.display().to_string()))?;
        let (mapping, layout) = (&self.mapping, self.layout);
        let same_length = found.len() == mapping.len() as u64;
        match mapping.view() {
            Ok(view) if same_length && layout.is_note(view) => Ok(()),
            _ => Err(changed(&self.path)),
        }
    }

    /// Makes the file a note again after [`write`](NoteWriter::write) has said `EBADMSG`: gives it
    /// its length again, with room for all of it, and a trailer, and maps it anew. The next
    /// text is there for the readers; of the last one, nothing is.
    ///
    /// Only if what is left in the file is the beginning of what this writer wrote last, or
    /// something that `adopt` allows to be taken over: it may be another program's by now.
    ///
    /// # Errors
    ///
    /// `EEXIST` if something else is in the file; `EAGAIN` if another writer had the lock for longer
    /// than `patience`, or the file was cut again meanwhile; `ENOSPC` if there is no room; those of
    /// [`MapOptions::map`].
    pub fn renew(&mut self, adopt: Adopt, patience: Duration) -> Result<()> {
        let lock = lock_within(&self.file, patience)?;
        // Another writer may have renewed it.
        if !is_note(&self.file)? {
            renew(&self.file, self.layout, adopt, &self.last)?;
        }
        drop(lock);
        let (mapping, layout) = map(&self.path, &self.file)?;
        // To believe the length of what was cut again would make a shorter note of it; and if it then
        // grew again, no reader could tell.
        if !layout.is_note(mapping.view()?) {
            return Err(cut_again(&self.path));
        }
        (self.mapping, self.layout) = (mapping, layout);
        Ok(())
    }

    /// Writes the note to the disk, and waits for it (msync(2), MS_SYNC): it then survives a power
    /// cut. That the *name* of a file just created does, only an fsync of its folder promises.
    ///
    /// # Errors
    ///
    /// `EIO` if the device failed.
    pub fn flush(&self) -> Result<()> {
        let flushed = self.mapping.flush(0..self.mapping.len());
        flushed.map_err(|error| Error::new("msync", error.errno(), self.path.display().to_string()))
    }

    /// Whether the path still leads to this file.
    ///
    /// # Errors
    ///
    /// `EACCES` and others of stat(2).
    pub fn whereabouts(&self) -> Result<Whereabouts> {
        whereabouts(&self.file, &self.path)
    }

    /// Whether a text of `len` bytes has room.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if it has not.
    pub fn check_length(&self, len: usize) -> Result<()> {
        if len <= self.capacity() {
            return Ok(());
        }
        let about = format!("{}, a text of {len} bytes", self.path.display());
        Err(Error::refused("note", Errno::EMSGSIZE, about).with_remedy(format!(
            "there is room for {} bytes; the note stays as it was, so write a shorter one",
            self.capacity()
        )))
    }

    fn check(&self, text: &[u8]) -> Result<()> {
        self.check_length(text.len())?;
        if let Some(at) = text.iter().position(|byte| *byte == 0) {
            return Err(Error::refused("note", Errno::EINVAL, format!("a NUL at byte {at}"))
                .with_remedy(
                    "a note ends at its first NUL, so the rest would be lost; the note stays as \
                     it was",
                ));
        }
        Ok(())
    }
}

/// Maps a file that was a note a moment ago. If it has another length now, somebody has cut it.
fn map(path: &Path, file: &File) -> Result<(Mapping, Layout)> {
    let mapping =
        MapOptions::new().read_write().map(file).map_err(|error| match error.errno() {
            Errno::ERANGE | Errno::EINVAL => cut_again(path),
            _ => error,
        })?;
    let layout = Layout::of(mapping.len() as u64).ok_or_else(|| cut_again(path))?;
    Ok((mapping, layout))
}

fn changed(path: &Path) -> Error {
    Error::refused("note", Errno::EBADMSG, path.display().to_string()).with_remedy(
        "another program changed the file's length or its trailer, so it is no note any more; \
         start the writer again, which adopts it if it may",
    )
}

fn cut_again(path: &Path) -> Error {
    Error::refused("note", Errno::EAGAIN, path.display().to_string())
        .with_remedy("the file was cut shorter while it was opened or made a note again; try again")
}
