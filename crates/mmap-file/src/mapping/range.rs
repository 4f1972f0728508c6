//! The arithmetic of mappings: pages below, bytes above, and nothing that wraps round.
//!
//! ```text
//!              offset 5000, len 100, pages of 4096 bytes
//!
//!  file   0            4096   5000  5100      8192
//!         |-------------|------[=====)---------|
//!                       ^------^
//!                 aligned 4096, lead 904: mmap gets (4096, 1004), the user sees [5000, 5100)
//! ```

use ipc_common::{Errno, Error, PageSize, Result};

/// Where a mapping has to begin so that `len` bytes at any offset can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// What mmap(2) gets as offset: the start of the page that holds the first byte.
    pub aligned: u64,
    /// How far into that page the first byte lies.
    pub lead: usize,
    /// How many bytes the user sees.
    pub len: usize,
    /// The pages that it is about.
    pub page: PageSize,
}

impl Window {
    /// # Errors
    ///
    /// `EINVAL` for no bytes at all; `EOVERFLOW` if the last byte lies where no file can have one.
    #[inline]
    pub fn new(offset: u64, len: usize, page: PageSize) -> Result<Window> {
        if len == 0 {
            return Err(no_window(offset, len));
        }
        // Of the offset, only the low bits matter: a page is smaller than a `usize`.
        let lead = page.offset_in_page(offset as usize);
        let end = u64::try_from(len).ok().and_then(|len| offset.checked_add(len));
        if end.is_none_or(|end| i64::try_from(end).is_err()) {
            return Err(no_window(offset, len));
        }
        Ok(Window { aligned: offset - lead as u64, lead, len, page })
    }

    /// How many bytes mmap(2) gets. It cannot overflow: offset and length fit in an `i64`.
    pub fn mapped(self) -> usize {
        self.lead + self.len
    }

    /// The bytes of the pages that get mapped: the last one whole.
    pub fn whole_pages(self) -> usize {
        // What can be mapped does not end past the last page of the address space.
        self.page.round_up(self.mapped()).unwrap_or(self.mapped())
    }

    /// One past the last byte, counted from the start of the file.
    pub fn end(self) -> u64 {
        self.aligned + self.mapped() as u64
    }
}

#[cold]
fn no_window(offset: u64, len: usize) -> Error {
    let about = format!("{len} bytes at offset {offset}");
    if len > 0 {
        return Error::refused("mmap", Errno::EOVERFLOW, about);
    }
    Error::refused("mmap", Errno::EINVAL, about).with_remedy(
        "a mapping has at least one byte (POSIX: mmap fails if the length is 0); if the file is \
         empty, grow it first",
    )
}

/// Whether `len` bytes at `offset` lie in a mapping of `size` bytes.
///
/// memmap2 0.9.12 compares `len` with the whole size, and not with what is left after `offset`, in
/// its `advise_range`: a safe call that reaches a neighbour's pages. Here the check is made in
/// this one place, and its `advise_range` is never called.
///
/// # Errors
///
/// `ERANGE` if they do not.
#[inline]
pub(crate) fn inside(call: &'static str, size: usize, offset: usize, len: usize) -> Result<()> {
    if offset <= size && len <= size - offset {
        return Ok(());
    }
    Err(outside(call, size, offset, len))
}

#[cold]
fn outside(call: &'static str, size: usize, offset: usize, len: usize) -> Error {
    Error::refused(call, Errno::ERANGE, format!("{len} bytes at offset {offset}"))
        .with_remedy(format!("the mapping has {size} bytes; what follows is not ours to touch"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pages() -> impl Strategy<Value = PageSize> {
        prop_oneof![Just(4096), Just(16384), Just(65536)].prop_map(|n| PageSize::new(n).unwrap())
    }

    fn offsets() -> impl Strategy<Value = u64> {
        prop_oneof![
            0..300_000u64,
            any::<u64>(),
            (0..70_000u64).prop_map(|n| i64::MAX as u64 - n),
            (0..70_000u64).prop_map(|n| u64::MAX - n),
        ]
    }

    proptest! {
        #[test]
        fn the_window_is_aligned_and_ends_where_the_bytes_end(
            offset in offsets(),
            len in prop_oneof![1..300_000usize, any::<usize>()],
            page in pages(),
        ) {
            let wide = u128::from(offset) + len as u128;
            match Window::new(offset, len, page) {
                Ok(window) => {
                    prop_assert_eq!(window.aligned % page.bytes() as u64, 0);
                    prop_assert!(window.lead < page.bytes());
                    prop_assert_eq!(window.aligned + window.lead as u64, offset);
                    prop_assert_eq!(u128::from(window.end()), wide);
                }
                Err(error) if len == 0 => prop_assert_eq!(error.errno(), Errno::EINVAL),
                Err(error) => {
                    prop_assert_eq!(error.errno(), Errno::EOVERFLOW);
                    prop_assert!(wide > i64::MAX as u128);
                }
            }
        }

        #[test]
        fn inside_is_what_wide_arithmetic_says(
            size in prop_oneof![0..10_000usize, any::<usize>()],
            offset in prop_oneof![0..10_000usize, any::<usize>()],
            len in prop_oneof![0..10_000usize, any::<usize>()],
        ) {
            let fits = offset as u128 + len as u128 <= size as u128;
            prop_assert_eq!(inside("test", size, offset, len).is_ok(), fits);
        }
    }

    #[test]
    fn no_bytes_are_refused_with_a_sentence() {
        let error = Window::new(0, 0, PageSize::system()).unwrap_err();
        assert_eq!(error.errno(), Errno::EINVAL);
        assert!(error.remedy().contains("at least one byte"), "{error}");
    }
}
