//! Copying bytes to or from memory that another process may write meanwhile.
//!
//! `ptr::copy_nonoverlapping` promises the compiler that nobody else touches
//! the bytes. For memory shared with a process we do not control, nobody can
//! keep that promise, and a broken one is undefined behaviour whatever the
//! processor would have done. Assembly is outside the compiler's rules; for
//! the processor, a racing copy just yields some mix of old and new bytes.
//!
//! Both versions keep one rule at every instruction that touches memory:
//!
//! > `rcx` (`x2`) is at least the number of bytes at the end of the range that
//! > are still to be copied; all bytes before those are in place.
//!
//! The rule is free, as the register only falls after the stores it counts,
//! and it lets whoever stops the copy half-way tell how far it got: the
//! handler for a fault in a truncated file, see [`landing`]. To the same end
//! the code touches neither the stack nor a register that its caller wants
//! back, so that returning to the caller is possible from any instruction.

pub mod landing;
#[cfg(test)]
mod tests;

#[cfg(all(target_arch = "aarch64", not(any(miri, portable_copy))))]
#[path = "aarch64.rs"]
mod imp;
#[cfg(all(target_arch = "x86_64", not(any(miri, portable_copy))))]
#[path = "x86_64.rs"]
mod imp;
#[cfg(any(miri, portable_copy, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "portable.rs"]
mod imp;
