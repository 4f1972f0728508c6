//! Pages: the grain of every mapping. Slide "sysconf: creating page-sized memory mapped segments".
//!
//! ```text
//!        offset 5000, length 4000, pages of 4096 bytes
//!
//!  page 0          page 1          page 2          page 3
//!  |---------------|---------------|---------------|-----
//!  0             4096            8192           12288
//!                      [===============)
//!                    5000            9000      touches pages 1 and 2: 1..3
//! ```
//!
//! Nothing here wraps round: a result that does not fit in a `usize` is `None`.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::unistd::{SysconfVar, sysconf};

use crate::error::{Error, Result};
use nix::errno::Errno;

/// The size of a page in bytes: a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PageSize(usize);

impl PageSize {
    /// This system's page size, from `sysconf(_SC_PAGESIZE)`: 4096 on x86-64; 4096, 16384 or
    /// 65536 on aarch64, as the kernel was built. The system is asked once; from then on this is a
    /// load and no more, which a signal handler may do, too.
    ///
    /// # Panics
    ///
    /// If the system does not know its page size, which POSIX rules out (sysconf(3)).
    ///
    /// ```
    /// use ipc_common::PageSize;
    /// assert!(PageSize::system().bytes().is_power_of_two());
    /// ```
    #[inline]
    pub fn system() -> PageSize {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        match ASKED.load(Ordering::Relaxed) {
            0 => PageSize::ask(&ASKED),
            bytes => PageSize(bytes),
        }
    }

    #[cold]
    fn ask(asked: &AtomicUsize) -> PageSize {
        let bytes = sysconf(SysconfVar::PAGE_SIZE)
            .ok()
            .flatten()
            .and_then(|bytes| usize::try_from(bytes).ok())
            .expect("POSIX promises that sysconf(_SC_PAGESIZE) has an answer");
        asked.store(bytes, Ordering::Relaxed);
        PageSize(bytes)
    }

    /// A page size of `bytes`, for arithmetic about some other machine.
    ///
    /// # Errors
    ///
    /// `EINVAL` if `bytes` is not a power of two.
    ///
    /// ```
    /// use ipc_common::PageSize;
    /// let apple = PageSize::new(16 * 1024)?;
    /// assert_eq!(apple.round_up(1), Some(16384));
    /// assert!(PageSize::new(5000).is_err());
    /// # Ok::<(), ipc_common::Error>(())
    /// ```
    pub fn new(bytes: usize) -> Result<PageSize> {
        if bytes.is_power_of_two() {
            return Ok(PageSize(bytes));
        }
        Err(Error::refused("PageSize::new", Errno::EINVAL, format!("{bytes} bytes"))
            .with_remedy("a page size is a power of two, such as 4096, 16384 or 65536"))
    }

    /// The size in bytes.
    #[inline]
    pub fn bytes(self) -> usize {
        self.0
    }

    /// How far `offset` lies into its page, in bytes.
    #[inline]
    pub fn offset_in_page(self, offset: usize) -> usize {
        offset & (self.0 - 1)
    }

    /// Whether `offset` (or an address) is the start of a page.
    #[inline]
    pub fn is_aligned(self, offset: usize) -> bool {
        self.offset_in_page(offset) == 0
    }

    /// The start of the page that `offset` lies in.
    #[inline]
    pub fn round_down(self, offset: usize) -> usize {
        offset - self.offset_in_page(offset)
    }

    /// The first page boundary at or after `offset`; `None` if there is none below `2^64`.
    ///
    /// ```
    /// # use ipc_common::PageSize;
    /// let page = PageSize::new(4096)?;
    /// assert_eq!(page.round_up(4096), Some(4096));
    /// assert_eq!(page.round_up(4097), Some(8192));
    /// assert_eq!(page.round_up(usize::MAX), None);
    /// # Ok::<(), ipc_common::Error>(())
    /// ```
    #[inline]
    pub fn round_up(self, offset: usize) -> Option<usize> {
        // By masks: the size is a power of two, which a division would not know.
        Some(offset.checked_add(self.0 - 1)? & !(self.0 - 1))
    }

    /// How many pages a mapping of `len` bytes takes: what is left of the last page counts whole.
    #[inline]
    pub fn pages(self, len: usize) -> usize {
        len.div_ceil(self.0)
    }

    /// The numbers of the pages that `len` bytes from `offset` on touch; empty for `len` 0,
    /// `None` if the range runs past the end of the address space.
    ///
    /// ```
    /// # use ipc_common::PageSize;
    /// let page = PageSize::new(4096)?;
    /// assert_eq!(page.touched(5000, 4000), Some(1..3));
    /// assert_eq!(page.touched(4095, 2), Some(0..2));
    /// assert_eq!(page.touched(usize::MAX, 2), None);
    /// # Ok::<(), ipc_common::Error>(())
    /// ```
    #[inline]
    pub fn touched(self, offset: usize, len: usize) -> Option<Range<usize>> {
        let first = offset / self.0;
        if len == 0 {
            return Some(first..first);
        }
        let last_byte = offset.checked_add(len - 1)?;
        Some(first..last_byte / self.0 + 1)
    }
}

impl fmt::Display for PageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 1024 {
            write!(f, "{} KiB", self.0 / 1024)
        } else {
            write!(f, "{} bytes", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn page_sizes() -> impl Strategy<Value = PageSize> {
        prop_oneof![Just(PageSize(4096)), Just(PageSize(16384)), Just(PageSize(65536))]
    }

    /// Numbers that matter: small ones, those around page boundaries, and those near the end.
    fn offsets() -> impl Strategy<Value = usize> {
        prop_oneof![0..300_000usize, any::<usize>(), (0..70_000usize).prop_map(|n| usize::MAX - n)]
    }

    proptest! {
        #[test]
        fn rounding_brackets_the_offset_within_one_page(page in page_sizes(), offset in offsets()) {
            let down = page.round_down(offset);
            prop_assert!(down <= offset && offset - down < page.bytes());
            prop_assert!(page.is_aligned(down));
            match page.round_up(offset) {
                Some(up) => {
                    prop_assert!(up >= offset && up - offset < page.bytes());
                    prop_assert!(page.is_aligned(up));
                }
                None => prop_assert!(offset > usize::MAX - page.bytes() + 1),
            }
        }

        #[test]
        fn touched_pages_are_those_that_hold_a_byte_of_the_range(
            page in page_sizes(), offset in offsets(), len in 0..300_000usize,
        ) {
            let Some(touched) = page.touched(offset, len) else {
                prop_assert!(offset.checked_add(len - 1).is_none());
                return Ok(());
            };
            if len == 0 {
                prop_assert!(touched.is_empty());
            } else {
                prop_assert_eq!(touched.start, offset / page.bytes());
                prop_assert_eq!(touched.end - 1, (offset + (len - 1)) / page.bytes());
                prop_assert!(touched.len() >= page.pages(len));
                prop_assert!(touched.len() <= page.pages(len) + 1);
            }
        }
    }

    /// The kernel hands every process a table of facts at exec; AT_PAGESZ (6) is one of them.
    #[test]
    fn the_system_page_size_is_the_one_the_kernel_gave_at_exec() {
        const WORD: usize = size_of::<usize>();
        let auxv = std::fs::read("/proc/self/auxv").unwrap();
        let words: Vec<usize> = auxv
            .chunks_exact(WORD)
            .map(|word| usize::from_ne_bytes(word.try_into().unwrap()))
            .collect();
        let said = words.chunks_exact(2).find(|pair| pair[0] == 6).unwrap()[1];
        assert_eq!(PageSize::system().bytes(), said);
    }

    #[test]
    fn the_last_page_of_the_address_space_has_no_upper_boundary() {
        for bytes in [4096, 16384, 65536] {
            let page = PageSize(bytes);
            let last = usize::MAX - bytes + 1;
            assert_eq!(page.round_up(last), Some(last));
            assert_eq!(page.round_up(last + 1), None);
            assert_eq!(page.touched(last, bytes), Some(last / bytes..last / bytes + 1));
            assert_eq!(page.touched(last, bytes + 1), None);
        }
    }

    #[test]
    fn sizes_that_are_no_power_of_two_are_refused() {
        for bytes in [0, 3, 4095, 5000] {
            assert_eq!(PageSize::new(bytes).unwrap_err().errno(), Errno::EINVAL);
        }
    }
}
