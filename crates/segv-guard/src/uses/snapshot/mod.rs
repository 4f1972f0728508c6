//! Copy-on-write snapshots: what the memory was at one moment, while others go on writing.
//!
//! ```text
//!                     page 0      page 1      page 2
//!   memory            A           B           C          snapshot(): all read-only
//!   store to page 1   A           B'          C          fault: B is saved first, then opened
//!   the snapshot      A (there)   B (saved)   C (there)
//! ```
//!
//! Taking one copies nothing. What is written meanwhile costs a fault and a copy for each page that
//! it touches, once. fork(2) does the same for all of a process's memory; here it is for one
//! region, and within the process: a checkpoint that can be written to a file in peace.

pub(crate) mod protocol;
mod state;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ipc_common::view::WriteView;
use ipc_common::{Errno, Error, PageSize, Result};

use crate::handler::Guard;
use crate::region::Region;
use crate::table::{Registration, Turn};
use state::State;

/// Memory of which snapshots can be taken.
///
/// ```
/// use segv_guard::uses::Snapshots;
///
/// let memory = Snapshots::new(segv_guard::install()?, 1 << 20)?;
/// memory.view().write(5_000, b"before")?;
///
/// let snapshot = memory.snapshot()?;
/// memory.view().write(5_000, b"after!")?;
///
/// let mut bytes = [0; 6];
/// snapshot.read(5_000, &mut bytes)?;
/// assert_eq!(&bytes, b"before");
/// assert_eq!(snapshot.saved(), 1, "one page was copied");
/// # Ok::<(), ipc_common::Error>(())
/// ```
///
/// In a child made by fork(2) a snapshot goes on by itself, with memory of its own. If the parent had
/// several threads then, pages that another was just writing for the first time, or all if one was
/// just beginning or ending a snapshot, are in the hands of a thread that the child has not: to write
/// them there waits for ever. Fork when no other thread is at it.
pub struct Snapshots {
    /// Before `state`: no handler may run once that is gone.
    _range: Registration,
    state: Arc<State>,
    /// There is a snapshot.
    taken: AtomicBool,
}

impl Snapshots {
    /// As many pages as hold `bytes` bytes, of zeros.
    ///
    /// # Errors
    ///
    /// As for [`Region::new`].
    pub fn new(guard: Guard, bytes: usize) -> Result<Snapshots> {
        let state = Arc::new(State::new(Region::new(bytes)?, Region::new(bytes)?));
        let (start, len) = (state.memory.address(), state.memory.len());
        let range = guard.register(start, len, Turn::BeforeCopies, state.clone())?;
        Ok(Snapshots { _range: range, state, taken: AtomicBool::new(false) })
    }

    /// The memory, to be read and written from any thread, whether or not there is a snapshot.
    pub fn view(&self) -> WriteView<'_> {
        self.state.memory.view()
    }

    /// How many pages there are.
    pub fn pages(&self) -> usize {
        self.state.memory.pages()
    }

    /// The size of one.
    pub fn page_size(&self) -> PageSize {
        self.state.memory.page_size()
    }

    /// Takes a snapshot. It holds every write that was over before the call, none that began
    /// after it; and of two writes during the call of which one followed the other, never only the
    /// second.
    ///
    /// # Errors
    ///
    /// `EBUSY` if there is one already, and those of mprotect(2).
    pub fn snapshot(&self) -> Result<Snapshot<'_>> {
        if self.taken.swap(true, Ordering::Acquire) {
            return Err(Error::refused("Snapshots::snapshot", Errno::EBUSY, "a second snapshot")
                .with_remedy("one at a time; drop the one there is first"));
        }
        match self.state.arm() {
            Ok(()) => Ok(Snapshot { of: self }),
            Err(errno) => {
                self.taken.store(false, Ordering::Release);
                Err(Error::new("mprotect", errno, format!("{} pages", self.pages())))
            }
        }
    }
}

/// What the memory was when [`Snapshots::snapshot`] was called, until dropped.
#[must_use = "the snapshot is gone when this is dropped"]
pub struct Snapshot<'a> {
    of: &'a Snapshots,
}

impl Snapshot<'_> {
    /// Copies bytes out, from `offset` on, until `into` is full.
    ///
    /// # Errors
    ///
    /// `ERANGE` if that would run past the end.
    pub fn read(&self, offset: usize, into: &mut [u8]) -> Result<()> {
        // The check is the view's; a part of no bytes is a fine thing to ask for.
        self.of.view().part(offset, into.len())?;
        let page = self.of.page_size();
        let mut done = 0;
        while done < into.len() {
            let at = offset + done;
            let len = (page.bytes() - page.offset_in_page(at)).min(into.len() - done);
            self.of.state.read(at / page.bytes(), at, &mut into[done..done + len])?;
            done += len;
        }
        Ok(())
    }

    /// How many pages had to be copied so far.
    pub fn saved(&self) -> usize {
        self.of.state.saved()
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        self.of.state.disarm();
        self.of.taken.store(false, Ordering::Release);
    }
}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshots({:?})", self.state.memory)
    }
}

impl fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} of {} pages saved)", self.saved(), self.of.pages())
    }
}
