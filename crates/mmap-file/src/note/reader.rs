//! Reading notes. A reader has the file open and mapped read-only, and changes nothing of it.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{Ordering, fence};
use std::thread;
use std::time::Duration;

use ipc_common::note::Reading;
use ipc_common::view::{ReadView, Text, Woken};
use ipc_common::{Errno, Result};

use super::layout::{LONGEST_FILE, Layout};
use super::seqlock::{Look, Looking, look};
use super::whereabouts::{Whereabouts, whereabouts};
use crate::lock::is_locked;
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
        let mut reader = NoteReader { path, file, len: 0, mapping: None, seen: 0 };
        reader.follow_length()?;
        Ok(reader)
    }

    /// What the file says now. It comes back within a moment, whatever the writers do.
    ///
    /// # Errors
    ///
    /// Those of fstat(2), mmap(2) and fcntl(2).
    pub fn read(&mut self) -> Result<Reading> {
        self.follow_length()?;
        let Some(mapping) = &self.mapping else {
            return Ok(Reading::Whole { text: Text::default(), sequence: 0 });
        };
        let view = mapping.view()?;
        let Some(layout) = note_in(view, self.len) else {
            return Ok(Reading::Whole { text: view.text()?, sequence: 0 });
        };
        let text = view.part(0, layout.trailer())?;
        let shared = Shared { file: view, text, at: layout.sequence() };
        for _ in 0..LOOKS {
            match look(&shared) {
                Look::Whole { copy, sequence } => {
                    self.seen = sequence;
                    return Ok(Reading::Whole { text: copy?, sequence: sequence.into() });
                }
                Look::Odd(sequence) => {
                    self.seen = sequence;
                    // Each write changes the sequence. So if it is still the same after nobody
                    // was found to hold the lock, the writer of that very write has died.
                    let dead = !is_locked(&self.file)?;
                    if dead && shared.load_sequence(Ordering::Acquire) == sequence {
                        return Ok(Reading::Abandoned);
                    }
                    wait(view, layout, sequence, MOMENT)?;
                }
                Look::Changed => thread::yield_now(),
            }
        }
        Ok(Reading::Busy)
    }

    /// Sleeps until the note changes, for `limit` at most. Writers of ours wake it. Strangers, who
    /// just store, do not: choose a limit after which to look for what they did.
    ///
    /// # Errors
    ///
    /// Those of futex(2).
    pub fn wait(&self, limit: Duration) -> Result<()> {
        if let Some(mapping) = &self.mapping {
            let view = mapping.view()?;
            if let Some(layout) = note_in(view, self.len) {
                return wait(view, layout, self.seen, limit);
            }
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
        let Some(mapping) = &self.mapping else { return Ok(false) };
        Ok(note_in(mapping.view()?, self.len).is_some())
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
        if len == self.len {
            return Ok(());
        }
        // Of a file that is longer than any note, the beginning will do.
        let bytes = usize::try_from(len).unwrap_or(LONGEST_FILE).min(LONGEST_FILE);
        let map = || MapOptions::new().len(bytes).map(&self.file);
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
        Err(error) if error.errno() == Errno::EFAULT => thread::sleep(limit),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// The mapped file, as the protocol sees it.
struct Shared<'a> {
    file: ReadView<'a>,
    text: ReadView<'a>,
    at: usize,
}

impl Looking for Shared<'_> {
    type Copy = Result<Text>;

    fn load_sequence(&self, order: Ordering) -> u32 {
        self.file.load_u32(self.at, order).expect("the layout's offsets are inside, and aligned")
    }

    fn fence(&self, order: Ordering) {
        fence(order);
    }

    fn copy_out(&self) -> Result<Text> {
        self.text.text()
    }
}
