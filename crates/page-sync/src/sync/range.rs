//! msync over bytes: rounded to pages, and told apart.

use std::ops::{Range, RangeBounds};

use ipc_common::{Errno, Error, Result};
use mmap_file::mapping::truncation::still_reaches;

use super::health::Attempt;
use super::{Loss, Msync};
use crate::file::{PageFile, Span};
use crate::sys;

impl PageFile {
    /// Syncs the pages that hold these bytes (msync(2)), and returns their numbers: msync knows
    /// only pages, so what else lies in them is synced as well.
    ///
    /// Calls from several threads go one after another.
    ///
    /// # Errors
    ///
    /// Of the range, before the kernel is asked: `EINVAL`, `EOVERFLOW`, `ERANGE`
    /// ([`Pages::span`](crate::file::Pages::span)). Of msync(2):
    ///
    /// - `EIO`, and also `ENOSPC`, `EDQUOT` and whatever else a file system or its server says: the
    ///   write failed, and **the data may be gone**. From now on every sync of this object is an error
    ///   ([`sync`](crate::sync)).
    /// - `EBUSY`: with [`Msync::invalidate`], a page of the range is locked by mlock(2). Nothing
    ///   was written; what was dirty is dirty.
    /// - `ENOMEM`: a page of the range is not mapped any more, so some unsafe code of this process
    ///   has unmapped it. (The others were synced.) If all are mapped, the kernel lacked memory,
    ///   and that counts as a loss.
    ///
    /// And afterwards: `ERANGE` if the file has been cut shorter than the range meanwhile, by
    /// somebody else: what lay behind its end is gone. `EIO` if zeros have taken the place of such
    /// pages in this process ([`mmap_file::Mapping::check`]).
    pub fn sync(&self, range: impl RangeBounds<usize>, how: Msync) -> Result<Range<usize>> {
        let Span { bytes, pages } = self.pages().span(range)?;
        let about = || {
            let (name, Range { start, end }) = (self.name(), &pages);
            format!("{name}, pages {start}..{end}, {how}")
        };
        let whole = self.pages().whole(&pages);
        self.attempt("msync", &about, &pages, || self.call(whole, how))?;
        still_reaches(self.file(), bytes.end as u64).map_err(|error| {
            let why = "somebody has cut the file shorter, and what lay behind its end is gone; \
                       adopt it anew (PageFile::adopt) and write that again";
            Error::refused("msync", error.errno(), about()).with_remedy(why)
        })?;
        Ok(pages)
    }

    /// msync(2). The `bool` beside an errno says whether it is harmless: the call was refused
    /// before it began, and what was dirty is dirty still.
    ///
    /// By its number alone no errno is. The kernel keeps whatever a write ended with and hands it
    /// on: a server of a network file system, or of FUSE, may have answered `EINVAL`, `EBADF`,
    /// `EINTR` or `EBUSY`, and the page is clean and gone. So what the kernel itself may object to
    /// is asked for apart.
    fn call(&self, whole: Range<usize>, how: Msync) -> std::result::Result<(), (Errno, bool)> {
        let mapping = self.mapping();
        if how.waits() && how.invalidates() {
            // MS_ASYNC writes nothing and takes no report: this EBUSY can only be about a lock.
            let asks = Msync::ASYNC.invalidate().flags();
            // (What else it says, the call that counts says again.)
            if sys::msync(mapping, whole.clone(), asks) == Err(Errno::EBUSY) {
                return Err((Errno::EBUSY, true));
            }
        }
        sys::msync(mapping, whole.clone(), how.flags()).map_err(|errno| {
            let harmless = match errno {
                Errno::ENOMEM => !sys::is_mapped(mapping, whole),
                Errno::EBUSY => how == Msync::ASYNC.invalidate(),
                _ => false,
            };
            (errno, harmless)
        })
    }

    /// What was lost on the way to the device, if anything was: every sync is an error until it
    /// is made good ([`PageFile::rewrite`]).
    pub fn loss(&self) -> Option<Loss> {
        self.health().loss()
    }

    /// One call to the kernel that syncs `pages`. The `bool` beside an errno says whether it is
    /// harmless.
    pub(super) fn attempt(
        &self,
        call: &'static str,
        about: &dyn Fn() -> String,
        pages: &Range<usize>,
        kernel: impl FnOnce() -> std::result::Result<(), (Errno, bool)>,
    ) -> Result<()> {
        use super::health::Unsynced;
        let done = self.health().attempt(|| match kernel() {
            Ok(()) => Attempt::Done,
            Err((errno, true)) => Attempt::Refused((errno, true)),
            Err((errno, false)) => {
                Attempt::Lost(Loss::new(call, errno, pages.clone()), (errno, false))
            }
        });
        match done {
            // Afterwards: what another thread's atomic has lost meanwhile is not on the device.
            Ok(()) => self.mapping().check(),
            Err(Unsynced::Before(loss)) => Err(loss.still(call, about())),
            Err(Unsynced::Now((errno, true))) => Err(Error::new(call, errno, about())),
            Err(Unsynced::Now((errno, false))) => Err(Error::new(call, errno, about()).with_remedy(
                "the pages could not be written, and the kernel counts them as clean all the same: \
                 what was stored may be gone, and no later success brings it back; keep a copy, look \
                 at `dmesg`, and write the file anew (PageFile::rewrite), there or somewhere else",
            )),
        }
    }
}
