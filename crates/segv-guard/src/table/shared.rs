//! The words that handlers and removers share: statics, and the entries' pins.

use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, Ordering::Relaxed,
};
use std::thread;

use super::protocol::{Reading, Replacing, WANTED};
use super::ranges::Ranges;
use super::{OnFault, Turn};
use crate::sys;

/// What a range's slot points at.
pub(super) struct Entry {
    pins: AtomicU32,
    pub(super) turn: Turn,
    pub(super) handler: Arc<dyn OnFault>,
}

impl Entry {
    pub(super) fn new(turn: Turn, handler: Arc<dyn OnFault>) -> Entry {
        Entry { pins: AtomicU32::new(0), turn, handler }
    }
}

pub(super) type Table = Ranges<NonNull<Entry>>;

pub(super) struct Shared {
    /// Null: no range has ever been registered, or none is left.
    table: AtomicPtr<Table>,
    half: AtomicBool,
    inside: [AtomicUsize; 2],
}

impl Shared {
    pub(super) const fn new() -> Shared {
        Shared {
            table: AtomicPtr::new(ptr::null_mut()),
            half: AtomicBool::new(false),
            inside: [AtomicUsize::new(0), AtomicUsize::new(0)],
        }
    }

    /// Whether there is nothing to find. A process that has no ranges pays no more than this.
    pub(super) fn is_null(&self) -> bool {
        self.table.load(Relaxed).is_null()
    }
}

impl Reading for Shared {
    type Table = *mut Table;
    type Entry = NonNull<Entry>;

    fn half(&self, order: Ordering) -> bool {
        self.half.load(order)
    }

    fn count_in(&self, half: bool, order: Ordering) {
        let [one, other] = &self.inside;
        (if half { other } else { one }).fetch_add(1, order);
    }

    fn count_out(&self, half: bool, order: Ordering) {
        let [one, other] = &self.inside;
        (if half { other } else { one }).fetch_sub(1, order);
    }

    fn table(&self, order: Ordering) -> *mut Table {
        self.table.load(order)
    }

    unsafe fn find(&self, table: *mut Table, address: usize) -> Option<NonNull<Entry>> {
        // SAFETY: null, or made by `Box::into_raw`, and not freed by the caller's promise.
        unsafe { table.as_ref() }?.find(address)
    }

    unsafe fn pin(&self, entry: NonNull<Entry>, order: Ordering) {
        // SAFETY: not freed, by the caller's promise.
        unsafe { entry.as_ref() }.pins.fetch_add(1, order);
    }

    unsafe fn unpin(&self, entry: NonNull<Entry>, order: Ordering) -> u32 {
        // Not by `as_ref`: a reference to the whole entry would have to stay valid until the end
        // of the call, and the entry may be freed once the number is 0.
        // SAFETY: not freed before, by the caller's promise.
        unsafe { (*entry.as_ptr()).pins.fetch_sub(1, order) }
    }

    fn wake(&self, entry: NonNull<Entry>) {
        // SAFETY: computing the address of a field reads nothing; the memory was an entry.
        sys::futex_wake(unsafe { &raw const (*entry.as_ptr()).pins });
    }
}

impl Replacing for Shared {
    fn set_table(&self, table: *mut Table, order: Ordering) {
        self.table.store(table, order);
    }

    fn set_half(&self, half: bool, order: Ordering) {
        self.half.store(half, order);
    }

    fn is_empty(&self, half: bool, order: Ordering) -> bool {
        self.inside[usize::from(half)].compare_exchange(0, 0, order, Relaxed).is_ok()
    }

    fn give_way(&self) {
        thread::yield_now();
    }

    unsafe fn want(&self, entry: NonNull<Entry>, order: Ordering) {
        // SAFETY: not freed, by the caller's promise; so below.
        unsafe { entry.as_ref() }.pins.fetch_or(WANTED, order);
    }

    unsafe fn pins(&self, entry: NonNull<Entry>, order: Ordering) -> u32 {
        // SAFETY: as above.
        unsafe { entry.as_ref() }.pins.load(order)
    }

    unsafe fn sleep(&self, entry: NonNull<Entry>, seen: u32) {
        // SAFETY: as above.
        sys::futex_wait(unsafe { &entry.as_ref().pins }, seen);
    }
}
