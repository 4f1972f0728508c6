//! A landing pad for the copy routine: a fault in the middle of a copy becomes a value.
//!
//! If a mapped file is cut shorter, or the memory was never there, an instruction of the copy
//! faults, and the kernel sends SIGSEGV or SIGBUS. This is what a handler (that of `segv-guard`;
//! this crate installs none) needs in order to turn the signal into a return value. The kernel's
//! own copies from user space work in the same way (there it is called an exception table).
//!
//! ```text
//!   try_copy ──► the routine, 512 bytes ──────────────► returns 0: nothing is left
//!                   │ r8 (x3) holds the record's address all the while
//!                   │ fault
//!                   ▼
//!                signal handler: land(pc, r8, what happened) fills the record
//!                   │ and names the place where the thread shall go on
//!                   ▼
//!                the pad ─────────────────────────────► returns how many bytes are left
//! ```
//!
//! Nothing is jumped over: routine and pad are assembly with no frame of their own, and the pad
//! returns to the routine's caller just as the routine would have.
//!
//! Most programs want a [`ReadView`](crate::view::ReadView) instead, whose copies all have this
//! net below them.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;

use super::imp;

/// Whether copies can be landed here: on x86-64 and aarch64. If not, [`try_copy`] never returns an
/// error, and a fault in it ends the process whatever the handler.
pub const SUPPORTED: bool =
    cfg!(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(any(miri, portable_copy))));

/// What the handler knows about the fault: plain numbers, which can be stored from within a
/// handler without a lock or an allocation.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// SIGSEGV or SIGBUS.
    pub signal: c_int,
    /// `si_code` of sigaction(2): `SEGV_MAPERR`, `BUS_ADRERR`, …
    pub code: c_int,
    /// `si_addr`: the address that was accessed, as far as the processor told.
    pub address: usize,
    /// What the handler makes of the kind of access. This crate only passes it on.
    pub access: u32,
}

/// A copy that a fault stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// So many bytes from the start on are in place: all before the one that could not be read or
    /// written. (Up to 127 fewer, should the processor not have told where that one is.) Bytes
    /// behind may or may not have been copied.
    pub good: usize,
    /// The fault.
    pub record: Record,
}

/// Copies `len` bytes from `src` to `dst`, either of which may be written by others during the
/// copy; a fault ends the process, unless a handler mends it.
///
/// The bytes arrive in no particular order, and each may be read or written
/// more than once: under a concurrent write the result can mix old and new
/// bytes. Nothing is implied about the order relative to other memory; where
/// that matters, pair the copy with an atomic (release after filling shared
/// memory, acquire before reading it).
///
/// # Safety
///
/// As for [`try_copy`].
#[inline]
pub unsafe fn copy(src: *const u8, dst: *mut u8, len: usize) {
    // SAFETY: the caller's promises are exactly those of `imp::copy`; without a record no fault
    // is landed.
    unsafe { imp::copy(src, dst, len, ptr::null_mut()) };
}

/// [`copy`] with a net: if a fault stops it, and a handler that calls [`land`] is installed, the
/// fault is returned. Without such a handler it ends the process, as ever.
///
/// # Errors
///
/// [`Stopped`], with the fault and the number of bytes that are in place.
///
/// # Safety
///
/// Either range may be unmapped, forbidden, or not backed by its file any more: that is what the
/// net is for. But as far as there is memory,
///
/// - the bytes at `src` may be read: they belong to no `&mut` in use, and reading them has no
///   effect of its own (it has in the registers of a device);
/// - the bytes at `dst` may be overwritten: they belong to no reference in use but the caller's
///   own `&mut`, and are not needed by anybody who would be harmed by what is written;
/// - the two ranges do not overlap, neither as addresses nor as two mappings of the same memory;
/// - threads of this process that access one of the ranges at the same time do so only through
///   this module or through atomics. Other processes may do as they like.
#[inline]
pub unsafe fn try_copy(src: *const u8, dst: *mut u8, len: usize) -> Result<(), Stopped> {
    let mut record = MaybeUninit::<Record>::uninit();
    // SAFETY: the caller's promises; the record outlives the call.
    let left = unsafe { imp::copy(src, dst, len, record.as_mut_ptr()) };
    if left == 0 {
        return Ok(());
    }
    // SAFETY: bytes are left only after a landing, and `land` has filled the record before; the
    // rest are the caller's promises.
    Err(unsafe { stopped(src, dst, len, left, record.assume_init()) })
}

/// Copies those of the `left` last bytes that are there. The routine moves up to 128 bytes at a
/// time and counts them afterwards; and it may have met the gap at a place behind its start, since
/// it moves the bytes at both ends of a short copy first.
///
/// Out of line, so that the copy that succeeds does not carry it about.
///
/// # Safety
///
/// As for [`try_copy`].
#[cold]
unsafe fn stopped(src: *const u8, dst: *mut u8, len: usize, left: usize, first: Record) -> Stopped {
    let (mut good, mut record) = (len - left, first);
    // Less each time, whatever the addresses say.
    let mut unsure = left;
    loop {
        let (src, dst) = (src.wrapping_add(good), dst.wrapping_add(good));
        let up_to_gap =
            |start: usize| Some(record.address.wrapping_sub(start)).filter(|n| *n < unsure);
        let there = up_to_gap(src.addr()).or(up_to_gap(dst.addr())).unwrap_or(0);
        if there == 0 {
            return Stopped { good, record };
        }
        // SAFETY: parts of the caller's ranges; the record outlives the call.
        unsure = unsafe { imp::copy(src, dst, there, &raw mut record) };
        good += there - unsure;
    }
}

/// For signal handlers: if the thread was stopped in a copy that has a net, stores `what` in the
/// copy's record and returns the address at which the thread shall go on. Otherwise `None`: the
/// fault is not ours.
///
/// `pc` and `record` are what the handler's third argument (`ucontext_t`) holds: the program
/// counter (`rip`, `pc`), and the register that the routine keeps its record in: `r8` on x86-64,
/// `x3` on aarch64. The handler stores the returned address as the program counter there, and
/// returns. Async-signal-safe: it looks at two numbers and stores four.
///
/// # Safety
///
/// - `pc` and `record` come from one context, that of a signal caught on the calling thread.
/// - The handler returns with the new program counter, all other registers unchanged.
pub unsafe fn land(pc: usize, record: usize, what: Record) -> Option<usize> {
    let pad = imp::pad_for(pc)?;
    let record = ptr::with_exposed_provenance_mut::<Record>(record);
    if record.is_null() {
        return None;
    }
    // SAFETY: the thread stands in the routine, in which the register holds what `copy` or
    // `try_copy` passed: null, or a record that lives until the routine returns.
    unsafe { record.write(what) };
    Some(pad)
}
