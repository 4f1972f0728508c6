//! Reading notes. A reader has the file open and mapped read-only, and changes nothing of it.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{Ordering, fence};
use std::thread;
use std::time::Duration;

use ipc_common::note::Reading;
use ipc_common::view::{ReadView, Text, Woken};
use ipc_common::{Errno, Error, Result};

use super::layout::{FIRST, LONGEST_FILE, Layout, TRAILER, is_cut_trailer, is_trailer};
use super::mapped::Seen;
use super::seqlock::{Look, Looking, look};
use super::whereabouts::{Whereabouts, whereabouts};
use crate::lock::is_locked;
use crate::mapping::truncation::Shrunk;
use crate::mapping::{MapOptions, Mapping};
use crate::open::{Access, open_file, regular};

/// How often a reader looks before it says that writers are at it all the time.
const LOOKS: usize = 50;

/// How long it waits for a write that is under way, each time.
const MOMENT: Duration = Duration::from_millis(1);

/// A file with a note in it, open and mapped for reading.
///
/// It may be a note of ours, a file of the lecture's C programs, or any file: what is no note of
/// ours is shown as it is, up to its first NUL.
#[derive(Debug)]
pub struct NoteReader {
    path: PathBuf,
    file: File,
    /// The file's length when it was mapped.
    len: u64,
    /// `None` while the file is empty: there is nothing to map.
    mapping: Option<Mapping>,
    /// The sequence that was seen last.
    seen: u32,
    /// Where the note was that was seen last. What is left of it if it is cut is shown to nobody.
    note: Option<Layout>,
}

impl NoteReader {
    /// Opens and maps the file at `path`.
    ///
    /// # Errors
    ///
    /// Those of [`open_file`], `ENOENT` above all, and of [`MapOptions::map`].
    pub fn open(path: impl AsRef<Path>) -> Result<NoteReader> {
        let path = path.as_ref().to_owned();
        let file = open_file(&path, Access::Read)?;
        let mut reader = NoteReader { path, file, len: 0, mapping: None, seen: 0, note: None };
        reader.follow_length()?;
        Ok(reader)
    }

    /// What the file says now. It comes back within a moment, whatever the writers do, and whatever
    /// becomes of the file: if it is cut shorter meanwhile, it is mapped anew.
    ///
    /// # Errors
    ///
    /// `EBADMSG` if it was a note of ours and somebody has cut it shorter, so that what is left may
    /// be half a note (also if it has grown again since). Ask again: once a writer has made it a
    /// note again ([`NoteWriter::renew`](super::NoteWriter::renew)), so does this.
    /// Those of fstat(2), mmap(2) and fcntl(2).
    pub fn read(&mut self) -> Result<Reading> {
        for _ in 0..LOOKS {
            match self.look_once() {
                Ok(Some(reading)) => return Ok(reading),
                Ok(None) => {}
                // The file was cut under us. What there is now, a new mapping shows.
                Err(error) if Shrunk::of(&error).is_some() => self.forget_mapping(),
                Err(error) => return Err(error),
            }
        }
        Ok(Reading::Busy)
    }

    /// `None` if a writer was at it.
    fn look_once(&mut self) -> Result<Option<Reading>> {
        self.follow_length()?;
        let Some(mapping) = &self.mapping else {
            self.is_not_cut(None)?;
            return Ok(Some(Reading::Whole { text: Text::default(), sequence: 0 }));
        };
        let view = mapping.view()?;
        let Some(layout) = note_in(view, self.len) else {
            let text = view.text()?;
            // Not if a writer has made it a note meanwhile: it may have begun to write.
            let len = regular("fstat", self.file.as_fd())?;
            let still_none = len == self.len && note_in(view, len).is_none();
            // Last, and by one look: a note that was renewed and cut again between two looks would
            // be no cut note to the first, and no note to the second.
            let shown = still_none && self.is_not_cut(Some(view))?;
            return Ok(shown.then_some(Reading::Whole { text, sequence: 0 }));
        };
        self.note = Some(layout);
        let text = view.part(0, layout.trailer())?;
        let shared = Seen { file: view, text, at: layout.sequence() };
        match look(&shared) {
            // A cut, and growth: the trailer's place is empty.
            Look::Whole { sequence: 0, .. } => Ok(None),
            Look::Whole { copy, sequence } => {
                let text = copy?;
                // If the file was cut during the look, and has grown again, there are zeros in the
                // text, and in the trailer, too; and if a writer has made it a note again since,
                // it has another sequence.
                if note_in(view, self.len).is_none() {
                    return Ok(None);
                }
                fence(Ordering::Acquire);
                if shared.load_sequence(Ordering::Relaxed) != sequence {
                    return Ok(None);
                }
                view.check()?;
                // A cut takes the length first, and then puts zeros into the rest of the last page,
                // from the front: of a text and a trailer in one page it may be half done.
                if regular("fstat", self.file.as_fd())? != self.len {
                    return Ok(None);
                }
                self.seen = sequence;
                // Counted from 0, as people count.
                let sequence = sequence.wrapping_sub(FIRST).into();
                Ok(Some(Reading::Whole { text, sequence }))
            }
            Look::Odd(sequence) => {
                // Each write changes the sequence. So if it is still the same after nobody was
                // found to hold the lock, the writer of that very write has died.
                let dead = !is_locked(&self.file)?;
                let found = dead && shared.load_sequence(Ordering::Acquire) == sequence;
                view.check()?;
                if !found {
                    wait(view, layout, sequence, MOMENT)?;
                }
                self.seen = sequence;
                Ok(found.then_some(Reading::Abandoned))
            }
            Look::Changed => {
                view.check()?;
                thread::yield_now();
                Ok(None)
            }
        }
    }

    /// Whether a file that is no note can be shown as it is: not if it is what is left of a note. A
    /// cut that takes some of the text takes all of the trailer, behind it; and if the file grows
    /// again, there are zeros. `false`: it is a note again, so another look will tell.
    fn is_not_cut(&self, view: Option<ReadView<'_>>) -> Result<bool> {
        let Some(note) = self.note else { return Ok(true) };
        let mut trailer = [0; TRAILER];
        if let Some(view) = view.filter(|_| self.len >= note.len() as u64) {
            view.read(note.trailer(), &mut trailer)?;
        }
        if !is_cut_trailer(&trailer) {
            return Ok(!(is_trailer(&trailer) && self.len == note.len() as u64));
        }
        let about = format!("{}, {} bytes", self.path.display(), self.len);
        Err(Error::refused("note", Errno::EBADMSG, about).with_remedy(
            "somebody cut the file shorter, so what is left may be half a note; a writer makes it a \
             note again",
        ))
    }

    fn forget_mapping(&mut self) {
        (self.mapping, self.len) = (None, 0);
    }

    /// Sleeps until the note changes, for `limit` at most. Writers of ours wake it. Strangers, who
    /// just store, do not: choose a limit after which to look for what they did.
    ///
    /// # Errors
    ///
    /// Those of futex(2).
    pub fn wait(&self, limit: Duration) -> Result<()> {
        // Of a file that was cut there is nothing to wait for but the time; the next look finds out.
        if let Some(Ok(view)) = self.mapping.as_ref().map(Mapping::view)
            && let Some(layout) = note_in(view, self.len)
        {
            return wait(view, layout, self.seen, limit);
        }
        thread::sleep(limit);
        Ok(())
    }

    /// Whether the file ends in a trailer of ours.
    ///
    /// # Errors
    ///
    /// Those of fstat(2) and mmap(2).
    pub fn is_note(&mut self) -> Result<bool> {
        self.follow_length()?;
        let Some(Ok(view)) = self.mapping.as_ref().map(Mapping::view) else { return Ok(false) };
        Ok(note_in(view, self.len).is_some())
    }

    /// Whether a writer holds the lock just now.
    ///
    /// # Errors
    ///
    /// Those of fcntl(2).
    pub fn is_locked(&self) -> Result<bool> {
        is_locked(&self.file)
    }

    /// Whether the path still leads to this file.
    ///
    /// # Errors
    ///
    /// `EACCES` and others of stat(2).
    pub fn whereabouts(&self) -> Result<Whereabouts> {
        whereabouts(&self.file, &self.path)
    }

    /// Maps the file anew if it has another length: a writer that adopts it makes it longer.
    fn follow_length(&mut self) -> Result<()> {
        let len = regular("fstat", self.file.as_fd())?;
        let spoilt = self.mapping.as_ref().is_some_and(|mapping| mapping.check().is_err());
        if len == self.len && !spoilt {
            return Ok(());
        }
        // Of a file that is longer than any note, the beginning will do.
        let bytes = usize::try_from(len).unwrap_or(LONGEST_FILE).min(LONGEST_FILE);
        // It may be cut at any moment, so that it is not now is not worth asking.
        let map = || MapOptions::new().len(bytes).allow_past_end().map(&self.file);
        self.mapping = if bytes == 0 { None } else { Some(map()?) };
        self.len = len;
        Ok(())
    }
}

/// Where the note is, if the mapped file is one.
fn note_in(view: ReadView<'_>, len: u64) -> Option<Layout> {
    Layout::of(len).filter(|layout| layout.is_note(view))
}

fn wait(view: ReadView<'_>, layout: Layout, seen: u32, limit: Duration) -> Result<()> {
    match view.wait_while(layout.sequence(), seen, limit) {
        // Whoever wakes us all the time must not make us run in circles all the time.
        Ok(Woken::Called) | Ok(Woken::Changed) => thread::sleep(Duration::from_micros(20)),
        Ok(Woken::TimedOut | Woken::Interrupted) => {}
        // The page has gone: the file was truncated, which the next look will find.
        Err(error) if [Errno::EFAULT, Errno::EIO].contains(&error.errno()) => thread::sleep(limit),
        Err(error) => return Err(error),
    }
    Ok(())
}
