//! What was lost, as far as anyone can know.

use std::fmt;
use std::ops::Range;

use ipc_common::{Errno, Error};

/// A write that failed on its way to the device: of these pages nobody knows whether they are
/// there.
///
/// Kept by the file object from the first such error on ([`PageFile::loss`]).
///
/// [`PageFile::loss`]: crate::file::PageFile::loss
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    call: &'static str,
    errno: Errno,
    pages: Range<usize>,
    failures: u64,
}

impl Loss {
    pub(crate) fn new(call: &'static str, errno: Errno, pages: Range<usize>) -> Loss {
        Loss { call, errno, pages, failures: 1 }
    }

    /// One more failure: the first one's name is kept, and the pages of both.
    pub(crate) fn add(&mut self, pages: Range<usize>) {
        self.pages = self.pages.start.min(pages.start)..self.pages.end.max(pages.end);
        self.failures += 1;
    }

    /// The call that failed first: `"msync"`.
    pub fn call(&self) -> &'static str {
        self.call
    }

    /// Its errno: `EIO` if the device failed; `ENOSPC` or `EDQUOT` if the file system found out
    /// only now that it has no room.
    pub fn errno(&self) -> Errno {
        self.errno
    }

    /// The numbers of the pages that the calls which failed were about, from the first to the last.
    /// The kernel does not say which page it was; and any page of the *file* that was dirty may be
    /// meant, if the kernel had tried to write it by itself before.
    pub fn pages(&self) -> Range<usize> {
        self.pages.clone()
    }

    /// How many calls have failed.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// The error of a call that the kernel has just called a success.
    pub(crate) fn still(&self, call: &'static str, about: String) -> Error {
        Error::refused(call, Errno::EIO, about).with_remedy(format!(
            "an earlier {self}: what was stored then may be gone, and that this call found nothing \
             more to do says nothing about it; write the file anew from a copy \
             (PageFile::rewrite), or open it again and check what it holds"
        ))
    }
}

/// `msync of pages 0..3 failed with EIO`
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (call, errno, pages) = (self.call, self.errno, &self.pages);
        write!(f, "{call} of pages {}..{} failed with {errno:?}", pages.start, pages.end)
    }
}
