//! Bare libc: the side that our library is compared with, and what C programs do.
//!
//! Nothing is checked that C would not check, and nothing is cheaper: a mapping is an address and a
//! length, unmapped on drop. The files have no names ([`crate::files`]) and the segments are marked
//! for removal as soon as they are attached, so nobody else writes them, and nothing is left behind.

mod buffer;
mod elsewhere;
mod map;
mod segment;
mod semaphores;

pub use buffer::Buffer;
pub use elsewhere::Elsewhere;
pub use map::Map;
pub use segment::Segment;
pub use semaphores::Semaphores;

/// Loads every `step`th byte, and returns their sum.
///
/// # Safety
///
/// - `len` bytes from `start` on can be read; if they are a file's, it is as long;
/// - nobody has references to them through which somebody writes.
#[inline]
pub unsafe fn load_each(start: *const u8, len: usize, step: usize) -> u64 {
    // SAFETY: the caller's promise. Volatile: each load is made.
    (0..len).step_by(step).map(|at| u64::from(unsafe { start.add(at).read_volatile() })).sum()
}

/// Stores to every `step`th byte.
///
/// # Safety
///
/// - `len` bytes from `start` on can be written; if they are a file's, it is as long;
/// - nobody has references to them.
#[inline]
pub unsafe fn store_each(start: *mut u8, len: usize, step: usize) {
    for at in (0..len).step_by(step) {
        // SAFETY: the caller's promise.
        unsafe { start.add(at).write_volatile(1) };
    }
}
