//! Changing shared memory: what a writer gets, who attached read-write.

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU32};

use super::landing::try_copy;
use super::{ReadView, more_good, stopped};
use crate::error::Result;

/// Memory that this process may write, as may any other: a [`ReadView`] (to which it
/// dereferences) that also takes bytes in.
///
/// It writes through `&self`, and may be copied: in shared memory there is no "the only writer",
/// so pretending to have one would prove nothing.
#[derive(Clone, Copy)]
pub struct WriteView<'a>(ReadView<'a>);

impl<'a> WriteView<'a> {
    /// A view of `len` bytes from `start` on.
    ///
    /// # Safety
    ///
    /// As for [`ReadView::new`], and for as long as `'a`:
    /// - the bytes stay writable in this process.
    pub const unsafe fn new(start: NonNull<u8>, len: usize) -> WriteView<'a> {
        // SAFETY: this function asks of its caller all that `ReadView::new` asks, and more.
        WriteView(unsafe { ReadView::new(start, len) })
    }

    /// A view of atomics of this process: for tests and examples, where no segment is at hand.
    pub fn of_atomics(memory: &'a [AtomicU32]) -> WriteView<'a> {
        let start = NonNull::from(memory).cast::<u8>();
        // SAFETY: the borrow keeps the memory alive for 'a; atomics may be written through a
        // shared reference, and whoever else has one can do no more than atomic access.
        unsafe { WriteView::new(start, size_of_val(memory)) }
    }

    /// The same view of memory whose pages somebody may replace: see [`ReadView::watched`].
    pub const fn watched(self, replaced: &'a AtomicBool) -> WriteView<'a> {
        WriteView(self.0.watched(replaced))
    }

    /// The same memory, for looking only.
    pub const fn as_read(self) -> ReadView<'a> {
        self.0
    }

    /// The part of the view that begins at `offset` and has `len` bytes.
    ///
    /// # Errors
    ///
    /// `ERANGE` if it is not all inside.
    pub fn part(self, offset: usize, len: usize) -> Result<WriteView<'a>> {
        Ok(WriteView(self.0.part(offset, len)?))
    }

    /// Copies `bytes` in, from `offset` on.
    ///
    /// # Errors
    ///
    /// - `ERANGE` if they would run past the end; nothing is written then.
    /// - `EIO` (SIGBUS) or `EFAULT` (SIGSEGV) if a fault stopped the copy and a handler landed it;
    ///   [`Error::good_bytes`](crate::Error::good_bytes) says how many bytes were written. `EIO`
    ///   also if the memory is not what it was ([`ReadView::watched`]).
    #[inline]
    pub fn write(self, offset: usize, bytes: &[u8]) -> Result<()> {
        let to = self.place("WriteView::write", offset, bytes.len())?;
        // SAFETY: `place` has checked the range, which `new`'s caller promised is writable for
        // 'a; `bytes` is a reference, so it cannot overlap memory that has none.
        match unsafe { try_copy(bytes.as_ptr(), to.as_ptr(), bytes.len()) } {
            Ok(()) => self.check_for("WriteView::write"),
            Err(fault) => Err(stopped("WriteView::write", offset, bytes.len(), fault)),
        }
    }

    /// Sets `len` bytes from `offset` on to `byte`.
    ///
    /// # Errors
    ///
    /// `ERANGE` if they would run past the end; nothing is written then. `EIO` and `EFAULT` as for
    /// [`WriteView::write`].
    pub fn fill(self, offset: usize, len: usize, byte: u8) -> Result<()> {
        self.place("WriteView::fill", offset, len)?;
        let block = [byte; 512];
        for done in (0..len).step_by(block.len()) {
            self.write(offset + done, &block[..block.len().min(len - done)])
                .map_err(|error| more_good(error, done))?;
        }
        Ok(())
    }

    /// The four bytes at `offset` as an atomic `u32` in the byte order of this machine.
    ///
    /// There are none of another size: Rust leaves a race between atomics that overlap without
    /// being the same undefined ([`std::sync::atomic`], "Memory model"), and two threads with a
    /// `u32` and a `u64` at one place would have such a race without a line of unsafe code.
    ///
    /// Of memory whose pages may be replaced, call [`ReadView::check`] after using it, before you
    /// believe it.
    ///
    /// # Errors
    ///
    /// `ERANGE` if they are not all inside, `EINVAL` if their address is not a multiple of 4, `EIO`
    /// if the memory is not what it was ([`ReadView::watched`]).
    pub fn atomic_u32(self, offset: usize) -> Result<&'a AtomicU32> {
        self.check_for("WriteView::atomic_u32")?;
        let at = self.aligned::<AtomicU32>("WriteView::atomic_u32", offset)?;
        // SAFETY: `aligned` has checked range and alignment; the memory is writable for 'a, and
        // an atomic may be shared with whoever else writes there.
        Ok(unsafe { at.as_ref() })
    }
}

impl<'a> Deref for WriteView<'a> {
    type Target = ReadView<'a>;

    fn deref(&self) -> &ReadView<'a> {
        &self.0
    }
}

impl fmt::Debug for WriteView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteView({:p}, {} bytes)", self.as_ptr(), self.len())
    }
}
