//! The side that reads: attached read-only, without taking the lock.

use std::fmt;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use ipc_common::view::Woken;
use ipc_common::{Key, Result};

use super::{Reading, find_lock, gone, removed};
use crate::{AttachedRead, Lock, Segment, Snapshot};

/// How often reading begins again, when the lock comes and goes.
const ROUNDS: usize = 8;

/// A note, attached read-only.
pub struct NoteReader {
    attached: AttachedRead,
    key: Key,
    lock: Option<Lock>,
    /// The first four bytes, from before the last reading: what [`NoteReader::wait`] sleeps on.
    first_word: Option<u32>,
}

impl NoteReader {
    /// Attaches to the note with this key; anybody's, of any size.
    ///
    /// # Errors
    ///
    /// Those of [`Segment::open`] and [`Segment::attach_read`]: `ENOENT` if nobody has created it,
    /// `EACCES` if its mode keeps us out.
    pub fn open(key: Key) -> Result<NoteReader> {
        let attached = Segment::open(key)?.attach_read()?;
        Ok(NoteReader { attached, key, lock: None, first_word: None })
    }

    /// Copies the note out. Takes no lock and changes nothing.
    ///
    /// A segment that has no lock beside it was made by a foreign program, and its text is taken
    /// as it stands, with sequence 0.
    ///
    /// # Errors
    ///
    /// `EACCES` if the semaphores' mode keeps us out; `EPERM` if a stranger has put them there;
    /// `EIDRM` if the segment was removed, lock and all.
    pub fn read(&mut self) -> Result<Reading> {
        let view = self.attached.view();
        for _ in 0..ROUNDS {
            // Before the copy, so that a change after it is seen as one.
            self.first_word = view.load_u32(0, Ordering::Relaxed).ok();
            if self.lock.is_none() {
                self.lock = self.find_lock()?;
            }
            let Some(lock) = self.lock else {
                let text = view.text()?;
                // A writer of ours makes the lock before it writes: still none, so it wrote nothing
                // while we looked.
                if self.find_lock()?.is_none() {
                    return Ok(Reading::Whole { text, sequence: 0 });
                }
                continue;
            };
            match lock.read(|| view.text()) {
                Ok(Snapshot::Whole { copy: text, sequence }) => {
                    return Ok(Reading::Whole { text: text?, sequence });
                }
                Ok(Snapshot::Abandoned) => return Ok(Reading::Abandoned),
                Ok(Snapshot::Busy) => return Ok(Reading::Busy),
                // Removed: with the segment, which `find_lock` will say, or by hand.
                Err(error) if gone(&error) => self.lock = None,
                Err(error) => return Err(error),
            }
        }
        Ok(Reading::Busy)
    }

    /// Never the lock of a newer segment with our key: that one says nothing about ours.
    fn find_lock(&self) -> Result<Option<Lock>> {
        let segment = self.attached.segment();
        let stat = match segment.stat() {
            Err(error) if gone(&error) => return Err(removed(segment.id())),
            stat => stat?,
        };
        let lock = find_lock(self.key, &stat)?;
        if segment.is_removed()? { Err(removed(segment.id())) } else { Ok(lock) }
    }

    /// Sleeps until a writer may have changed the note, for `limit` at most.
    ///
    /// Our writers wake us with a futex on the first four bytes. Foreign ones just store, and no
    /// call of the kernel waits for a store; nor does a futex remember a call that came between our
    /// last look and our sleep, if the new note begins with the same four bytes. In both cases the
    /// limit ends the sleep, so look again after each.
    ///
    /// # Errors
    ///
    /// Those of futex(2), which a healthy process does not see.
    pub fn wait(&self, limit: Duration) -> Result<Woken> {
        match self.first_word {
            Some(seen) => self.attached.view().wait_while(0, seen, limit),
            // Shorter than a futex word, or not read yet.
            None => {
                thread::sleep(limit);
                Ok(Woken::TimedOut)
            }
        }
    }

    /// Whether the segment was marked for removal. It goes when the last process detaches, so a
    /// reader that stays keeps it alive, and sees no new notes: those come in another segment.
    ///
    /// # Errors
    ///
    /// `EACCES` if its mode was changed and now keeps us out.
    pub fn is_removed(&self) -> Result<bool> {
        self.attached.segment().is_removed()
    }

    /// The attached segment.
    pub fn segment(&self) -> Segment {
        self.attached.segment()
    }

    /// The lock beside it, once a reading has found one.
    pub fn lock(&self) -> Option<Lock> {
        self.lock
    }

    /// Detaches, and says whether that worked.
    ///
    /// # Errors
    ///
    /// Those of [`AttachedRead::detach`].
    pub fn detach(self) -> Result<()> {
        self.attached.detach()
    }
}

impl fmt::Debug for NoteReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteReader({:?}, key {})", self.attached, self.key)
    }
}
