//! A mapping: part of a file that appears as memory. Slide "Memory Mapped Files".

mod open;
mod options;
mod protection;
mod range;
pub mod truncation;

pub use options::MapOptions;
pub use protection::{Advice, Protection, Sharing};
pub(crate) use range::Window;

use std::num::NonZeroUsize;
use std::ops::Range;

use ipc_common::view::{ReadView, WriteView};
use ipc_common::{Errno, Error, Result};

use crate::sys::Memory;

/// Bytes of a file, mapped into this process until it is dropped.
///
/// Made by [`MapOptions`]. It hands out views, never references: any process that may write the
/// file changes these bytes whenever it likes.
#[derive(Debug)]
pub struct Mapping {
    memory: Memory,
    sharing: Sharing,
}

impl Mapping {
    #[inline]
    pub(crate) fn of(memory: Memory, sharing: Sharing) -> Mapping {
        Mapping { memory, sharing }
    }

    /// Where it begins in this process. Elsewhere the same bytes lie at another address.
    pub fn address(&self) -> usize {
        self.memory.start().addr().get()
    }

    /// How many bytes there are.
    #[expect(clippy::len_without_is_empty, reason = "a mapping has at least one byte")]
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// What may be done with the bytes.
    pub fn protection(&self) -> Protection {
        self.memory.protection()
    }

    /// Who sees what is changed.
    pub fn sharing(&self) -> Sharing {
        self.sharing
    }

    /// The bytes, for looking.
    ///
    /// # Errors
    ///
    /// `EACCES` if the protection is [`Protection::None`]; `EIO` as for [`Mapping::check`].
    #[inline]
    pub fn view(&self) -> Result<ReadView<'_>> {
        self.check_for("Mapping::view")?;
        self.memory.read_view().ok_or_else(|| self.forbidden("Mapping::view"))
    }

    /// The bytes, for looking and changing.
    ///
    /// # Errors
    ///
    /// `EACCES` unless the protection is [`Protection::ReadWrite`]; `EIO` as for
    /// [`Mapping::check`].
    #[inline]
    pub fn write_view(&self) -> Result<WriteView<'_>> {
        self.check_for("Mapping::write_view")?;
        self.memory.write_view().ok_or_else(|| self.forbidden("Mapping::write_view"))
    }

    /// Whether these bytes still are the file's. They are not if the file was cut shorter *and*
    /// somebody in this process has used an atomic past its end, or a page could not be read from
    /// the device: zeros have then taken the place of the last pages, what was stored there is lost,
    /// and from then on every function of the mapping and its views is this error. Map the file
    /// anew. ([`truncation`] says more.)
    ///
    /// Views look by themselves. To be called after using an atomic reference, such as
    /// [`WriteView::atomic_u32`] gives.
    ///
    /// # Errors
    ///
    /// `EIO`, if they are not.
    #[inline]
    pub fn check(&self) -> Result<()> {
        self.check_for("Mapping::check")
    }

    /// Changes what may be done with the bytes, for all of the mapping (mprotect(2)). That this
    /// takes `&mut self` is what makes it safe: no view is in use.
    ///
    /// # Errors
    ///
    /// `EACCES` if the file was not opened for that, `ENOMEM` if the kernel has no room, `EIO` as
    /// for [`Mapping::check`].
    pub fn protect(&mut self, protection: Protection) -> Result<()> {
        self.check_for("mprotect")?;
        self.memory
            .protect(protection)
            .map_err(|errno| Error::new("mprotect", errno, format!("{self}, {protection}")))
    }

    /// Tells the kernel how these bytes will be used. It works on pages, so the start is rounded
    /// down and the end up; never past this mapping's own last page.
    ///
    /// # Errors
    ///
    /// `ERANGE` if the range is not inside; `EINVAL`, `EFAULT` and others of madvise(2); `EIO` as
    /// for [`Mapping::check`].
    pub fn advise(&self, range: Range<usize>, advice: Advice) -> Result<()> {
        let (offset, len) = self.checked("madvise", range)?;
        self.check_for("madvise")?;
        self.memory
            .advise(offset, len, advice)
            .map_err(|errno| Error::new("madvise", errno, format!("{self}, {advice:?}")))
    }

    /// Writes the pages that hold these bytes to the file's device, and waits for it (msync(2),
    /// MS_SYNC). The bytes then survive a power cut, if the device keeps its word; other
    /// processes saw them long before. A private mapping has nothing to write.
    ///
    /// # Errors
    ///
    /// `ERANGE` if the range is not inside; `EIO` if the device failed, or as for
    /// [`Mapping::check`].
    pub fn flush(&self, range: Range<usize>) -> Result<()> {
        self.sync(range, true)
    }

    /// Says that the bytes may be written soon (MS_ASYNC). Linux has done nothing at this call
    /// since 2.6.19: dirty pages are written after a while anyway.
    ///
    /// # Errors
    ///
    /// `ERANGE` if the range is not inside; `EIO` as for [`Mapping::check`].
    pub fn flush_async(&self, range: Range<usize>) -> Result<()> {
        self.sync(range, false)
    }

    /// Unmaps now. Dropping does the same, but cannot say that it failed.
    ///
    /// # Errors
    ///
    /// Those of munmap(2); the bytes then stay mapped until the process ends.
    pub fn unmap(self) -> Result<()> {
        self.memory.unmap()
    }

    /// Gives the pages up without unmapping them, and returns the address of the first: for whoever
    /// puts something else in their place ([`MapOptions::map_replacing`]). To forget the mapping
    /// would leave its guard behind.
    pub fn leave_mapped(self) -> NonZeroUsize {
        self.memory.leave_mapped().0.addr()
    }

    /// Apart, so that a mapping without advice is made where it is to be.
    fn advised(self, advice: Advice) -> Result<Mapping> {
        self.advise(0..self.len(), advice)?;
        Ok(self)
    }

    fn sync(&self, range: Range<usize>, wait: bool) -> Result<()> {
        let (offset, len) = self.checked("msync", range)?;
        self.memory
            .flush(offset, len, wait)
            .map_err(|errno| Error::new("msync", errno, self.to_string()))?;
        // Afterwards: what another thread's atomic has lost meanwhile is not on the disk.
        self.check_for("msync")
    }

    #[inline]
    fn check_for(&self, call: &'static str) -> Result<()> {
        match self.memory.is_replaced() {
            true => Err(self.spoilt(call)),
            false => Ok(()),
        }
    }

    #[cold]
    fn spoilt(&self, call: &'static str) -> Error {
        truncation::spoilt(call, self.to_string())
    }

    fn checked(&self, call: &'static str, range: Range<usize>) -> Result<(usize, usize)> {
        let len = range.end.checked_sub(range.start).ok_or_else(|| {
            Error::refused(call, Errno::ERANGE, format!("{}..{}", range.start, range.end))
                .with_remedy("a range ends where it starts, or later")
        })?;
        range::inside(call, self.len(), range.start, len)?;
        Ok((range.start, len))
    }

    #[cold]
    fn forbidden(&self, call: &'static str) -> Error {
        Error::refused(call, Errno::EACCES, self.to_string()).with_remedy(
            "the mapping's protection does not allow that, and touching it would be SIGSEGV; \
             map it otherwise, or use `protect`",
        )
    }
}

/// `4096 bytes at 0x7f…, read write, shared`
impl std::fmt::Display for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (len, address, protection) = (self.len(), self.address(), self.protection());
        write!(f, "{len} bytes at {address:#x}, {protection}, {}", self.sharing)
    }
}
