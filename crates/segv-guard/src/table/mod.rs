//! Who answers for which addresses: a table of ranges, each with a handler of its own.
//!
//! ```text
//!   fault at 0x7f31c0a05010
//!        │            ┌──────────────────────┬───────────┐
//!        └──────────► │ 0x7f31c0a00000..a10  │ a pager   │──► Mended   run the instruction again
//!    binary search,   │ 0x7f31c0c00000..c04  │ a tracker │    Retry    someone else has mended it
//!    no lock          │ 0x7f31d2000000..201  │ a buffer  │    NotMine  passed on
//!                     └──────────────────────┴───────────┘
//! ```
//!
//! The table never changes: adding and removing a range (under a mutex, never in a handler) makes
//! a new one and publishes it with one store. `protocol` says when the old one may be freed while
//! handlers are reading; tests/proofs runs it through every order of events.
//!
//! # Layout
//!
//! `handler` is what a range's handler promises and may answer; `ranges` the sorted array; `protocol`
//! the order of loads and stores; `shared` the words that it is about. Mappings of files, of which
//! there are many that come and go, are not in here but in `mapped`.

mod handler;
mod protocol;
mod ranges;
mod shared;

use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipc_common::{PageSize, Result};

use crate::fault::Fault;
use crate::handler::Guard;
use crate::mapped;
pub use handler::{Answer, OnFault, Turn};
use protocol::Reading;
use ranges::{Ranges, Slot};
use shared::{Entry, Shared, Table};

static SHARED: Shared = Shared::new();
/// One change at a time; the handler does not take it.
static CHANGE: Mutex<()> = Mutex::new(());

/// A range in the table, until dropped.
///
/// Dropping it waits until no handler is running for this range; then the handler is dropped, too,
/// unless somebody else has an [`Arc`] of it. Not to be done within a handler, nor in what a
/// handler of this range is waiting for: it would wait for itself.
#[must_use = "the range is removed when this is dropped"]
pub struct Registration {
    start: usize,
    end: usize,
    entry: NonNull<Entry>,
}

// SAFETY: the entry is `Send` and `Sync` (its handler is, by the trait's bounds), and this is no
// more than a pointer to it that `drop` frees, once.
unsafe impl Send for Registration {}
// SAFETY: as for Send; `&Registration` gives numbers only.
unsafe impl Sync for Registration {}

impl Guard {
    /// From here on, `handler` answers for faults (SIGSEGV and SIGBUS) of the `len` bytes from
    /// `start` on. Both the start and the length are multiples of the page size; whether anything
    /// is mapped there does not matter.
    ///
    /// A handler that answers [`Answer::Mended`] without having mended anything is asked again at
    /// once, for ever.
    ///
    /// Finding the handler takes O(log n) steps and no lock. Adding and removing take O(n).
    ///
    /// After fork(2), the child has the same ranges. If the parent had several threads then, the
    /// child must not add or remove any: as with any lock, another thread may have been at it.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a range that is empty, not aligned, or runs past the end of the address space;
    /// `EEXIST` for one that overlaps another.
    ///
    /// ```
    /// use segv_guard::table::{Answer, OnFault, Turn};
    /// use segv_guard::{Cause, Fault};
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// /// Counts, and mends nothing.
    /// struct Count(AtomicUsize);
    ///
    /// // SAFETY: one atomic is touched, and nothing else.
    /// unsafe impl OnFault for Count {
    ///     fn on_fault(&self, _: &Fault) -> Answer {
    ///         self.0.fetch_add(1, Ordering::Relaxed);
    ///         Answer::NotMine
    ///     }
    /// }
    ///
    /// let guard = segv_guard::install()?;
    /// let count = Arc::new(Count(AtomicUsize::new(0)));
    /// let page = ipc_common::PageSize::system().bytes();
    /// let first_page = guard.register(0, page, Turn::BeforeCopies, count.clone())?;
    ///
    /// let null = std::ptr::null();
    /// // SAFETY: no Rust value lies in the first page of an address space.
    /// let fault = unsafe { guard.read_byte(null) }.unwrap_err();
    /// assert_eq!((fault.cause(), count.0.load(Ordering::Relaxed)), (Cause::Unmapped, 1));
    ///
    /// drop(first_page);
    /// // SAFETY: as above.
    /// let _ = unsafe { guard.read_byte(null) };
    /// assert_eq!(count.0.load(Ordering::Relaxed), 1);
    /// # Ok::<(), ipc_common::Error>(())
    /// ```
    pub fn register(
        self,
        start: usize,
        len: usize,
        turn: Turn,
        handler: Arc<dyn OnFault>,
    ) -> Result<Registration> {
        let end = checked_end(start, len)?;
        let entry = NonNull::from(Box::leak(Box::new(Entry::new(turn, handler))));
        let with = |table: &Table| {
            if_none_overlaps(table, start, end)?;
            Ok(table.with(Slot { start, end, entry }))
        };
        match change(with) {
            Ok(()) => Ok(Registration { start, end, entry }),
            Err(error) => {
                // SAFETY: it was in no table, so nobody else has it.
                drop(unsafe { Box::from_raw(entry.as_ptr()) });
                Err(error)
            }
        }
    }
}

/// The end of a range that can be registered: `len` bytes from `start` on.
#[inline]
pub(crate) fn checked_end(start: usize, len: usize) -> Result<usize> {
    ranges::checked_end(start, len, PageSize::system())
}

/// Does what puts `start..end` among the ranges that are not in the table, if nobody answers for
/// any of it.
#[inline]
pub(crate) fn if_free<T>(start: usize, end: usize, put: impl FnOnce() -> T) -> Result<T> {
    let _one_at_a_time = one_at_a_time();
    let table = SHARED.table(std::sync::atomic::Ordering::Relaxed);
    // SAFETY: null, or made by `change`, which does not free it while we hold the mutex.
    if_none_overlaps(unsafe { table.as_ref() }.unwrap_or(&Ranges::none()), start, end)?;
    Ok(put())
}

#[inline]
fn if_none_overlaps(table: &Table, start: usize, end: usize) -> Result<()> {
    match table.overlapping(start, end).or_else(|| mapped::overlapping(start, end)) {
        Some(other) => Err(ranges::taken(start, end, other)),
        None => Ok(()),
    }
}

#[inline]
fn one_at_a_time() -> MutexGuard<'static, ()> {
    // Nothing in there leaves anything half done, so a panic elsewhere spoils nothing.
    CHANGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Replaces the table by another, and frees it.
fn change(to: impl FnOnce(&Table) -> Result<Table>) -> Result<()> {
    let _one_at_a_time = one_at_a_time();
    let old = SHARED.table(std::sync::atomic::Ordering::Relaxed);
    let none = Ranges::none();
    // SAFETY: null, or made by the last call, and freed by nobody but this one.
    let new = to(unsafe { old.as_ref() }.unwrap_or(&none))?;
    let new = if new.is_empty() { ptr::null_mut() } else { Box::into_raw(Box::new(new)) };
    protocol::replace(&SHARED, new);
    if !old.is_null() {
        // SAFETY: it came from `Box::into_raw`, and `replace` has waited for its last reader.
        drop(unsafe { Box::from_raw(old) });
    }
    Ok(())
}

impl Drop for Registration {
    fn drop(&mut self) {
        // It cannot fail: the closure does not.
        let _ = change(|table| Ok(table.without(self.start)));
        // Outside of the mutex: a handler may take its time.
        // SAFETY: the entry is in no table since; only this line and the next know of it, and
        // those who have pinned it.
        unsafe {
            protocol::wait_for_unpinned(&SHARED, self.entry);
            drop(Box::from_raw(self.entry.as_ptr()));
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registration({:#x}..{:#x})", self.start, self.end)
    }
}

/// The entry that a fault belongs to. It is not freed before this is dropped.
pub(crate) struct Found(NonNull<Entry>);

/// The range that `fault` lies in. For the signal handler.
pub(crate) fn find(fault: &Fault) -> Option<Found> {
    if SHARED.is_null() {
        return None;
    }
    protocol::find_and_pin(&SHARED, fault.address()?).map(Found)
}

impl Found {
    /// Whether it is the handler's turn, and it has an answer.
    pub(crate) fn answers(&self, turn: Turn, fault: &Fault) -> bool {
        // SAFETY: it is pinned.
        let entry = unsafe { self.0.as_ref() };
        entry.turn == turn && entry.handler.on_fault(fault) != Answer::NotMine
    }
}

impl Drop for Found {
    fn drop(&mut self) {
        // SAFETY: `find` has pinned it, and this is the one that unpins it.
        unsafe { protocol::release(&SHARED, self.0) };
    }
}
