//! The arithmetic of files made of whole pages. It takes the page size as a value, so that a laptop
//! with pages of 4 KiB can try what a machine with 16 or 64 KiB will do.
//!
//! ```text
//!      bytes        3000 ............. 9000           pages of 4096 bytes
//!      |---------------|---------------|---------------|---------------|
//!      0             4096            8192            12288           16384
//!      [===============================================)    pages 0..3: what msync(2) is given
//! ```

use std::fmt;
use std::ops::{Bound, Range, RangeBounds};

use ipc_common::{Errno, Error, PageSize, Result};

/// So many pages of such a size, and at least one: the length of a [`PageFile`](super::PageFile).
///
/// ```
/// use ipc_common::PageSize;
/// use page_sync::file::Pages;
///
/// let apple = PageSize::new(16 * 1024)?;
/// let pages = Pages::to_hold(20_000, apple)?;
/// assert_eq!((pages.count(), pages.bytes()), (2, 32_768));
/// assert!(Pages::exactly(20_000, apple).is_err());
/// # Ok::<(), ipc_common::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pages {
    count: usize,
    page: PageSize,
}

/// Some of the bytes, and the pages that they lie in. Made by [`Pages::span`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What was asked for: at least one byte, and none behind the last page.
    pub bytes: Range<usize>,
    /// The numbers of the pages that hold a byte of it. msync(2) knows only whole pages.
    pub pages: Range<usize>,
}

impl Pages {
    /// So many pages of `page` bytes.
    ///
    /// # Errors
    ///
    /// `EINVAL` for none; `EFBIG` if that is longer than any file (2^63 - 1 bytes).
    pub fn new(count: usize, page: PageSize) -> Result<Pages> {
        let about = || format!("{count} pages of {page}");
        if count == 0 {
            return Err(Error::refused("Pages::new", Errno::EINVAL, about())
                .with_remedy("a file without pages cannot be mapped; ask for one at least"));
        }
        match count.checked_mul(page.bytes()).map(i64::try_from) {
            Some(Ok(_)) => Ok(Pages { count, page }),
            _ => Err(Error::refused("Pages::new", Errno::EFBIG, about())
                .with_remedy("no file is that long; ask for fewer")),
        }
    }

    /// As many pages as hold `len` bytes: what is left of the last one counts whole.
    ///
    /// # Errors
    ///
    /// As for [`Pages::new`].
    pub fn to_hold(len: u64, page: PageSize) -> Result<Pages> {
        // Without the addition that could overflow.
        let count = len.div_ceil(page.bytes() as u64);
        Pages::new(usize::try_from(count).unwrap_or(usize::MAX), page)
    }

    /// As many pages as are exactly `len` bytes.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is no whole number of pages, or 0: the lecture's file of `PageSize + 1`
    /// bytes.
    pub fn exactly(len: u64, page: PageSize) -> Result<Pages> {
        let pages = Pages::to_hold(len, page)?;
        if pages.bytes() as u64 == len {
            return Ok(pages);
        }
        let about = format!("{len} bytes");
        Err(Error::refused("Pages::exactly", Errno::EINVAL, about).with_remedy(format!(
            "that is no whole number of pages of {page}; {} of them, {} bytes, would hold it",
            pages.count,
            pages.bytes()
        )))
    }

    /// How many.
    pub fn count(self) -> usize {
        self.count
    }

    /// How many bytes they have together.
    pub fn bytes(self) -> usize {
        self.count * self.page.bytes()
    }

    /// How large one is.
    pub fn page_size(self) -> PageSize {
        self.page
    }

    /// The bytes of the page with this number; the first is 0.
    ///
    /// # Errors
    ///
    /// `ERANGE` if there is no such page.
    pub fn bytes_of(self, number: usize) -> Result<Range<usize>> {
        if number < self.count {
            let start = number * self.page.bytes();
            return Ok(start..start + self.page.bytes());
        }
        Err(Error::refused("Pages::bytes_of", Errno::ERANGE, format!("page {number}"))
            .with_remedy(format!("there are {self}, and the first is page 0")))
    }

    /// The bytes of a range, and the pages that they lie in. `..` is all of them.
    ///
    /// # Errors
    ///
    /// - `EINVAL` for no bytes at all (msync(2) would say that it succeeded, and do nothing), or a
    ///   range that ends before it begins;
    /// - `EOVERFLOW` if its end is no number any more;
    /// - `ERANGE` if it goes on behind the last page.
    pub fn span(self, range: impl RangeBounds<usize>) -> Result<Span> {
        let start = match range.start_bound() {
            Bound::Included(first) => Some(*first),
            Bound::Excluded(before) => before.checked_add(1),
            Bound::Unbounded => Some(0),
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last.checked_add(1),
            Bound::Excluded(end) => Some(*end),
            Bound::Unbounded => Some(self.bytes()),
        };
        let refused = |errno, about, why: &str| {
            Err(Error::refused("Pages::span", errno, about).with_remedy(why.to_owned()))
        };
        let (Some(start), Some(end)) = (start, end) else {
            let about = format!("a range with byte {}", usize::MAX);
            return refused(Errno::EOVERFLOW, about, "no memory has that byte; ask for less");
        };
        let about = format!("bytes {start}..{end}");
        if start > end {
            return refused(Errno::EINVAL, about, "a range ends behind its first byte");
        }
        if end > self.bytes() {
            let why = format!("there are {self}; what follows is not ours to touch");
            return refused(Errno::ERANGE, about, &why);
        }
        if start == end {
            let why =
                "that is not a byte, so there is nothing to do; msync(2) would call it a success";
            return refused(Errno::EINVAL, about, why);
        }
        let pages = self.page.touched(start, end - start).expect("the end is no more than `bytes`");
        Ok(Span { bytes: start..end, pages })
    }

    /// The bytes of whole pages, from the start of the first to the end of the last.
    pub(crate) fn whole(self, pages: &Range<usize>) -> Range<usize> {
        pages.start * self.page.bytes()..pages.end * self.page.bytes()
    }
}

/// `3 pages of 4 KiB (12288 bytes)`
impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pages = if self.count == 1 { "page" } else { "pages" };
        write!(f, "{} {pages} of {} ({} bytes)", self.count, self.page, self.bytes())
    }
}

#[cfg(test)]
mod tests;
