//! The side that writes.

use std::fmt;
use std::time::Duration;

use ipc_common::{Errno, Error, Key, Result};

use super::wanted::{Wanted, expect_room};
use super::{Before, gone, removed, trusted};
use crate::{AttachedWrite, Lock, Opened, Segment, Writing};

/// How often opening begins again, when others remove the note at the same time.
const ROUNDS: usize = 16;

/// A note, attached for writing. It stays attached until this is dropped.
///
/// ```
/// use std::time::Duration;
/// use sysv_shm::note::{NoteReader, NoteWriter, Wanted, remove};
/// # let key = sysv_shm::segment::fresh_key();
///
/// let mut writer = NoteWriter::open_or_create(key, &Wanted::default())?.into_inner();
/// let mut reader = NoteReader::open(key)?;
/// writer.put(b"hello", Duration::from_secs(1))?;
/// assert_eq!(reader.read()?.text().unwrap().to_string(), "hello");
/// remove(key)?;
/// # Ok::<(), ipc_common::Error>(())
/// ```
pub struct NoteWriter {
    attached: AttachedWrite,
    key: Key,
    lock: Lock,
}

impl NoteWriter {
    /// Opens the note with this key, or creates it, and says which. If it fails, a segment that it
    /// created is gone again.
    ///
    /// # Errors
    ///
    /// `EEXIST` if what is there has another size, mode or owner than wanted; `EACCES` if its mode
    /// keeps us out, or the mode wanted would; those of [`Segment::create`],
    /// [`Segment::attach_write`] and [`Lock::beside`]; `EPERM` if a stranger has put semaphores
    /// beside the segment; `EINVAL` for [`Key::PRIVATE`].
    pub fn open_or_create(key: Key, wanted: &Wanted) -> Result<Opened<NoteWriter>> {
        if key.is_private() {
            return Err(Error::refused("shmget", Errno::EINVAL, format!("key {key}")).with_remedy(
                "a note under IPC_PRIVATE could be found by no reader; give it a key",
            ));
        }
        wanted.expect_open_to_owner()?;
        let size = wanted.new_size();
        let mode = wanted.mode.unwrap_or_default();
        for _ in 0..ROUNDS {
            let opened = Segment::open_or_create_if(key, size, mode, |found| wanted.accept(found))?;
            let created = opened.is_created();
            let segment = opened.into_inner();
            match NoteWriter::attach(key, segment) {
                Ok(Some(writer)) if created => return Ok(Opened::Created(writer)),
                Ok(Some(writer)) => return Ok(Opened::Existing(writer)),
                // Removed between shmget and here.
                Ok(None) => {}
                Err(error) => {
                    if created {
                        take_back(segment);
                    }
                    return Err(error);
                }
            }
        }
        Err(Error::refused("shmget", Errno::EAGAIN, format!("key {key}"))
            .with_remedy("others remove this note all the time; stop them, or use another key"))
    }

    fn attach(key: Key, segment: Segment) -> Result<Option<NoteWriter>> {
        let attached = match segment.attach_write() {
            Err(error) if gone(&error) => return Ok(None),
            attached => attached?,
        };
        let lock = lock_beside(key, segment)?;
        // Only now: a set that we made for a segment that is no more would be left behind; so we
        // go on to make it one that stays. One that we may not look at any more is still there.
        let removed = segment.is_removed().unwrap_or(false);
        Ok((!removed).then_some(NoteWriter { attached, key, lock }))
    }

    /// Replaces the note, waiting for other writers for `limit` at most, and wakes the readers that
    /// follow. Says whether the note it replaced was whole.
    ///
    /// # Errors
    ///
    /// Before anything is written: `ERANGE` if the text and its NUL do not fit; `EINVAL` for a
    /// text that holds a NUL; `EIDRM` if the note was removed; those of [`Lock::acquire`], `EAGAIN`
    /// and `EINTR` above all.
    pub fn put(&mut self, text: &[u8], limit: Duration) -> Result<Before> {
        self.expect_room(text.len())?;
        refuse_nul(text)?;
        let segment = self.attached.segment();
        if segment.is_removed()? {
            return Err(removed(segment.id()));
        }
        let writing = self.acquire(segment, limit)?;
        let before = writing.before();
        // It fits, as was made sure of above, so nothing is cut.
        let _ = self.attached.view().put_text(text)?;
        writing.finish()?;
        // After the mark has gone, so that who wakes finds a whole note. A segment too short for a
        // futex word is polled.
        if self.attached.view().len() >= size_of::<u32>() {
            self.attached.view().wake_all(0)?;
        }
        Ok(before)
    }

    /// Takes the lock, and makes a new one if the semaphores alone were removed: by hand, or by a
    /// `remove` that had begun before our segment was created.
    fn acquire(&mut self, segment: Segment, limit: Duration) -> Result<Writing> {
        for _ in 0..ROUNDS {
            match self.lock.acquire(limit) {
                Err(error) if gone(&error) => {
                    // Then the segment goes first, so this look comes late enough: a note written
                    // under a lock of our own would be found by nobody.
                    if segment.is_removed()? {
                        return Err(removed(segment.id()));
                    }
                    self.lock = lock_beside(self.key, segment)?;
                }
                acquired => return acquired,
            }
        }
        Err(removed_all_the_time(self.key))
    }

    /// Whether a text of `len` bytes, and the NUL behind it, would fit.
    ///
    /// # Errors
    ///
    /// `ERANGE` if not.
    pub fn expect_room(&self, len: usize) -> Result<()> {
        let way_out = "shorten it, or remove the segment and create one of that size";
        expect_room(len, self.size(), way_out)
    }

    /// Removes the note, segment and lock, if nobody has written to it since it was created: for
    /// who has created it and then fails. Says whether it did.
    ///
    /// # Errors
    ///
    /// Those of [`Lock::acquire`] and [`Segment::mark_for_removal`].
    pub fn withdraw(self) -> Result<bool> {
        let segment = self.segment();
        let empty = self.attached.view().text()?.is_empty();
        if !empty || self.lock.state()?.sequence != 0 || segment.is_removed()? {
            return Ok(false);
        }
        // Held, so that no other writer of ours can say meanwhile that it has written.
        let writing = self.lock.acquire(Duration::ZERO)?;
        if self.lock.state()?.sequence != 1 {
            writing.finish()?;
            return Ok(false);
        }
        segment.mark_for_removal()?;
        self.lock.remove()?;
        Ok(true)
    }

    /// The attached segment.
    pub fn segment(&self) -> Segment {
        self.attached.segment()
    }

    /// How many bytes the segment has; a note can have one less.
    pub fn size(&self) -> usize {
        self.attached.view().len()
    }

    /// The lock beside it.
    pub fn lock(&self) -> Lock {
        self.lock
    }
}

impl fmt::Debug for NoteWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteWriter({:?}, key {})", self.attached, self.key)
    }
}

/// Removes a segment that was created in vain; but not from under somebody who has found and
/// attached it by now.
fn take_back(segment: Segment) {
    if segment.stat().is_ok_and(|stat| stat.attached == 0) {
        // Whoever has removed it before us did our work.
        let _ = segment.mark_for_removal();
    }
}

fn refuse_nul(text: &[u8]) -> Result<()> {
    // `contains` looks at many bytes at once; `position` only has to be right.
    if !text.contains(&0) {
        return Ok(());
    }
    let at = text.iter().position(|byte| *byte == 0).unwrap_or_default();
    Err(Error::refused("note", Errno::EINVAL, format!("a NUL at byte {at}"))
        .with_remedy("a note ends at its first NUL, so the rest would be lost; take it out"))
}

/// The lock for `segment`, created with the segment's own mode if it is missing: then whoever may
/// read or write the segment may read or write its lock.
fn lock_beside(key: Key, segment: Segment) -> Result<Lock> {
    let stat = segment.stat()?;
    for _ in 0..ROUNDS {
        match Lock::beside(key, stat.mode).and_then(|lock| trusted(lock, key, &stat)) {
            Err(error) if gone(&error) => {}
            lock => return lock,
        }
    }
    Err(removed_all_the_time(key))
}

fn removed_all_the_time(key: Key) -> Error {
    Error::refused("semget", Errno::EAGAIN, format!("key {key}")).with_remedy(
        "others remove this note's semaphores all the time; stop them, or use another key",
    )
}
