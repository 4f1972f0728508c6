//! Trying: read, write or copy at any address, and get the fault as an `Err`.
//!
//! Two kinds, by who vouches for the memory:
//!
//! - **Any address**, `unsafe`: [`Guard::read`] and its like. That nothing may be mapped there is
//!   not what makes them so: the net is below them for that. But what *is* mapped there may be a
//!   Rust value that another thread holds by `&mut`, and no signal tells.
//! - **A view**, safe: [`Guard::copy_out`], [`Guard::copy_in`]. Whoever made the view has promised
//!   that nobody has plain references to its memory.
//!
//! The copies are those of `ipc_common::view`, with the same routine at the same speed.

mod elsewhere;
#[cfg(test)]
mod tests;

use std::fmt;

use ipc_common::view::{ReadView, WriteView, landing};

use crate::fault::{Access, Fault};
use crate::handler::Guard;

/// A copy that a fault stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutShort {
    /// So many bytes from the start on are in place: all before the one that could not be read or
    /// written. (Up to 127 fewer, should the processor not have told where that one is.) Bytes
    /// behind may have been copied, too: the copy moves several at a time.
    pub good: usize,
    /// What stopped it.
    pub fault: Fault,
}

impl fmt::Display for CutShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} good bytes: {}", self.good, self.fault)
    }
}

/// Without a source: the fault is in the sentence, and who prints a chain of errors would print it
/// twice.
impl std::error::Error for CutShort {}

/// # Probes of any address
///
/// The addresses may be anything: null, unmapped, forbidden, past the end of a file, not aligned,
/// running over the end of the address space.
///
/// ```
/// let guard = segv_guard::install()?;
/// let code = segv_guard::install as *const u8;
/// let mut first = [0; 4];
/// // SAFETY: code may be read, and nobody writes it; it may not be written, which is tried here.
/// let (read, write) = unsafe { (guard.read(code, &mut first), guard.write(code.cast_mut(), &first)) };
/// assert!(read.is_ok());
/// assert_eq!(write.unwrap_err().fault.cause(), segv_guard::Cause::Protection);
/// # Ok::<(), ipc_common::Error>(())
/// ```
impl Guard {
    /// Copies from `from` on until `into` is full.
    ///
    /// # Errors
    ///
    /// [`CutShort`]; `into` then holds that many good bytes, and behind them what it held before
    /// or what was copied uncounted.
    ///
    /// # Safety
    ///
    /// As far as there is readable memory at `from`:
    /// - no thread of this process writes it during the call other than by atomics or views, and
    ///   it belongs to no `&mut` that is in use;
    /// - reading it does nothing (the registers of a device change by being read).
    #[inline]
    pub unsafe fn read(self, from: *const u8, into: &mut [u8]) -> Result<(), CutShort> {
        // SAFETY: the caller's promise for `from`; `into` is ours alone, so they do not overlap.
        unsafe { try_copy(from, into.as_mut_ptr(), into.len()) }
    }

    /// Copies `bytes` to `to` and what follows.
    ///
    /// # Errors
    ///
    /// [`CutShort`]: that many bytes have been written, and perhaps some more.
    ///
    /// # Safety
    ///
    /// As far as there is writable memory at `to`:
    /// - the caller may overwrite it, in part too: it is no value of anybody's who did not agree,
    ///   and no code that is running;
    /// - no thread of this process reads or writes it during the call other than by atomics or
    ///   views, and it belongs to no reference that is in use, `bytes` included.
    #[inline]
    pub unsafe fn write(self, to: *mut u8, bytes: &[u8]) -> Result<(), CutShort> {
        // SAFETY: the caller's promise for `to`; `bytes` may be read, being a reference.
        unsafe { try_copy(bytes.as_ptr(), to, bytes.len()) }
    }

    /// Copies `len` bytes from `from` to `to`; either may fault, and the fault says which.
    ///
    /// # Errors
    ///
    /// [`CutShort`].
    ///
    /// # Safety
    ///
    /// - For `from` as for [`Guard::read`], for `to` as for [`Guard::write`].
    /// - The two ranges do not overlap, neither as addresses nor as two mappings of the same
    ///   memory.
    #[inline]
    pub unsafe fn copy(self, from: *const u8, to: *mut u8, len: usize) -> Result<(), CutShort> {
        // SAFETY: the caller's promises.
        unsafe { try_copy(from, to, len) }
    }

    /// Reads one byte.
    ///
    /// # Errors
    ///
    /// The [`Fault`].
    ///
    /// # Safety
    ///
    /// As for [`Guard::read`].
    #[inline]
    pub unsafe fn read_byte(self, from: *const u8) -> Result<u8, Fault> {
        let mut byte = 0;
        // SAFETY: the caller's promise.
        unsafe { self.read(from, std::slice::from_mut(&mut byte)) }.map_err(|cut| cut.fault)?;
        Ok(byte)
    }

    /// Writes one byte.
    ///
    /// # Errors
    ///
    /// The [`Fault`].
    ///
    /// # Safety
    ///
    /// As for [`Guard::write`].
    #[inline]
    pub unsafe fn write_byte(self, to: *mut u8, byte: u8) -> Result<(), Fault> {
        // SAFETY: the caller's promise.
        unsafe { self.write(to, &[byte]) }.map_err(|cut| cut.fault)
    }

    /// Reads a word in the byte order of this machine. It need not be aligned, and it is not an
    /// atomic: a word that somebody writes meanwhile may be torn.
    ///
    /// # Errors
    ///
    /// The [`Fault`].
    ///
    /// # Safety
    ///
    /// As for [`Guard::read`].
    #[inline]
    pub unsafe fn read_word(self, from: *const usize) -> Result<usize, Fault> {
        let mut word = [0; size_of::<usize>()];
        // SAFETY: the caller's promise.
        unsafe { self.read(from.cast(), &mut word) }.map_err(|cut| cut.fault)?;
        Ok(usize::from_ne_bytes(word))
    }

    /// Writes a word in the byte order of this machine; likewise not aligned, not atomic.
    ///
    /// # Errors
    ///
    /// The [`Fault`]; part of the word may have been written.
    ///
    /// # Safety
    ///
    /// As for [`Guard::write`].
    #[inline]
    pub unsafe fn write_word(self, to: *mut usize, word: usize) -> Result<(), Fault> {
        // SAFETY: the caller's promise.
        unsafe { self.write(to.cast(), &word.to_ne_bytes()) }.map_err(|cut| cut.fault)
    }
}

/// # Probes of views
///
/// The same as the views' own copies, with the fault and the number of good bytes as values.
impl Guard {
    /// Copies out of `view`, from its start on, as many bytes as both hold, and returns how many.
    ///
    /// # Errors
    ///
    /// [`CutShort`], if the file behind the view was cut shorter or its memory is gone; after 0 good
    /// bytes if other pages have taken its place ([`ReadView::watched`]).
    #[inline]
    pub fn copy_out(self, view: ReadView<'_>, into: &mut [u8]) -> Result<usize, CutShort> {
        let len = view.len().min(into.len());
        // SAFETY: whoever made the view promised that its memory is there for views, and that
        // nobody has references to it; `into` is ours alone.
        unsafe { try_copy(view.as_ptr(), into.as_mut_ptr(), len) }?;
        not_replaced(view, Access::Read).map(|()| len)
    }

    /// Copies into `view`, from its start on, as many bytes as both hold, and returns how many.
    ///
    /// # Errors
    ///
    /// [`CutShort`], as for [`Guard::copy_out`].
    #[inline]
    pub fn copy_in(self, view: WriteView<'_>, bytes: &[u8]) -> Result<usize, CutShort> {
        let len = view.len().min(bytes.len());
        // SAFETY: as in `copy_out`, and that the view's memory may be written.
        unsafe { try_copy(bytes.as_ptr(), view.as_ptr().cast_mut(), len) }?;
        not_replaced(view.as_read(), Access::Write).map(|()| len)
    }
}

/// A view whose pages were replaced reports the fault for which they were, at its own start: where
/// the fault was is not known any more.
#[inline]
fn not_replaced(view: ReadView<'_>, access: Access) -> Result<(), CutShort> {
    let fault = || Fault::past_end_of_file(view.as_ptr().addr(), access);
    view.check().map_err(|_| CutShort { good: 0, fault: fault() })
}

/// # Safety
///
/// As for [`landing::try_copy`].
#[inline]
unsafe fn try_copy(from: *const u8, to: *mut u8, len: usize) -> Result<(), CutShort> {
    if landing::SUPPORTED {
        // SAFETY: the caller's promises.
        unsafe { landing::try_copy(from, to, len) }.map_err(|stopped| CutShort {
            good: stopped.good,
            fault: Fault::from_record(stopped.record),
        })
    } else {
        // SAFETY: the caller's promises.
        unsafe { elsewhere::copy(from, to, len) }
    }
}
