//! For all other machines, and for Miri, which does not run assembly: relaxed atomics.
//!
//! They are single bytes, slow as that is, because racing atomics of different sizes are undefined
//! behaviour too, and nothing keeps two overlapping copies from cutting the same memory into words
//! differently.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::landing::Record;

/// Copies, and returns how many bytes are left: 0, as these faults have nowhere to land.
pub(super) unsafe fn copy(src: *const u8, dst: *mut u8, len: usize, _: *mut Record) -> usize {
    for i in 0..len {
        // SAFETY: i < len, so the byte is within the caller's range, and it is only loaded. (Of
        // Miri's two aliasing models, only Tree Borrows agrees if the caller's pointer came from
        // a `&[u8]`.)
        let from = unsafe { AtomicU8::from_ptr(src.add(i).cast_mut()) };
        // SAFETY: likewise, and the caller's range may be written.
        let to = unsafe { AtomicU8::from_ptr(dst.add(i)) };
        to.store(from.load(Relaxed), Relaxed);
    }
    0
}

/// Compiled code has no place of its own where a fault could be told from any other.
pub(super) fn pad_for(_: usize) -> Option<usize> {
    None
}
