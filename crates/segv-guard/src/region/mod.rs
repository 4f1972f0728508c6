//! Memory whose pages can be closed and opened: what the [`uses`](crate::uses) are made of.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::ptr::NonNull;

use ipc_common::view::{WriteView, landing};
use ipc_common::{Errno, Error, PageSize, Result};
use nix::sys::mman::ProtFlags;

use crate::sys;

/// What may be done with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Nothing: every access faults.
    Closed,
    /// Reading: a store faults.
    ReadOnly,
    /// Reading and writing.
    Open,
}

impl Protection {
    fn flags(self) -> ProtFlags {
        match self {
            Protection::Closed => ProtFlags::PROT_NONE,
            Protection::ReadOnly => ProtFlags::PROT_READ,
            Protection::Open => ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
        }
    }
}

/// Pages of zeros, open, that this crate has mapped and shows by views only, until dropped.
///
/// ```text
///        | page 0 | page 1 |   …   | page n-1 |
///   margin                                  margin     one closed page on either side
/// ```
///
/// The margins keep the kernel from merging the region with a neighbour: so the number of mappings
/// it takes (`vm.max_map_count`) depends on its own pages alone, and one `mprotect` over all of
/// them needs no new one. An access that runs over either end faults.
///
/// A child made by fork(2) has a copy, with the same protections.
///
/// ```
/// use segv_guard::region::{Protection, Region};
///
/// segv_guard::install()?;
/// let region = Region::new(10_000)?;
/// region.view().write(0, b"open")?;
///
/// region.protect(0..1, Protection::ReadOnly)?;
/// let error = region.view().write(0, b"shut").unwrap_err();
/// assert_eq!(error.errno(), ipc_common::Errno::EFAULT);
/// assert_eq!(region.view().read_vec(0, 4)?, b"open");
/// # Ok::<(), ipc_common::Error>(())
/// ```
pub struct Region {
    /// Of the first page, behind the margin.
    start: NonNull<u8>,
    pages: NonZeroUsize,
    page: PageSize,
    owned: PhantomData<[u8]>,
}

// SAFETY: the memory is reached by views only, which threads may share; the rest is numbers.
unsafe impl Send for Region {}
// SAFETY: as for Send.
unsafe impl Sync for Region {}

impl Region {
    /// Maps as many pages as hold `bytes` bytes.
    ///
    /// # Errors
    ///
    /// `EINVAL` for no bytes, `ENOMEM` for more than the address space has, or from mmap(2).
    pub fn new(bytes: usize) -> Result<Region> {
        Region::map(bytes, |_, _| Ok(()))
    }

    /// `fill` may map something else over the pages, at the address and of the length it is given.
    pub(crate) fn map(
        bytes: usize,
        fill: impl FnOnce(NonNull<u8>, NonZeroUsize) -> Result<()>,
    ) -> Result<Region> {
        let about = || format!("a region of {bytes} bytes");
        let page = PageSize::system();
        let Some(pages) = NonZeroUsize::new(page.pages(bytes)) else {
            return Err(Error::refused("Region::new", Errno::EINVAL, about())
                .with_remedy("a region has one page at least; ask for a byte or more"));
        };
        let whole = pages
            .checked_add(2)
            .and_then(|pages| pages.checked_mul(NonZeroUsize::new(page.bytes())?))
            .ok_or_else(|| Error::refused("Region::new", Errno::ENOMEM, about()))?;
        let margin = sys::reserve(whole).map_err(|errno| Error::new("mmap", errno, about()))?;
        // SAFETY: one page into a mapping of three or more.
        let start = unsafe { margin.byte_add(page.bytes()) }.cast();
        let region = Region { start, pages, page, owned: PhantomData };
        fill(start, NonZeroUsize::MIN.saturating_add(region.len() - 1))?;
        region.protect(0..pages.get(), Protection::Open)?;
        Ok(region)
    }

    /// How many bytes there are: whole pages.
    pub fn len(&self) -> usize {
        self.pages.get() * self.page.bytes()
    }

    /// Never: a region has one page at least.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// How many pages there are.
    pub fn pages(&self) -> usize {
        self.pages.get()
    }

    /// The size of one.
    pub fn page_size(&self) -> PageSize {
        self.page
    }

    /// The memory. A copy to or from a page that is closed is an error if [`crate::install`] was
    /// called, and a crash if not; an atomic in place is a crash in both cases.
    pub fn view(&self) -> WriteView<'_> {
        // SAFETY: the pages stay mapped for as long as `self` is borrowed, and only views reach
        // them. An access to one that is closed is stopped by the processor: a fault, which
        // `landing` makes an error or which ends the process, but never undefined behaviour.
        unsafe { WriteView::new(self.start, self.len()) }
    }

    /// Changes what may be done with the pages whose numbers are in `pages`.
    ///
    /// # Errors
    ///
    /// `ERANGE` for pages that are not all in the region, `ENOMEM` from mprotect(2) if the process
    /// has no mapping left (each run of equally protected pages takes one).
    pub fn protect(&self, pages: Range<usize>, protection: Protection) -> Result<()> {
        let about = || format!("pages {} to {} of a region", pages.start, pages.end);
        if pages.start > pages.end || pages.end > self.pages.get() {
            return Err(Error::refused("Region::protect", Errno::ERANGE, about())
                .with_remedy(format!("the region has {} pages", self.pages)));
        }
        if pages.is_empty() {
            return Ok(());
        }
        self.try_protect(pages.clone(), protection)
            .map_err(|errno| Error::new("mprotect", errno, about()))
    }

    /// [`Region::protect`] for signal handlers: no check, no allocation.
    ///
    /// Pages that are not all in the region are refused with `ERANGE`.
    pub(crate) fn try_protect(
        &self,
        pages: Range<usize>,
        protection: Protection,
    ) -> nix::Result<()> {
        if pages.start > pages.end || pages.end > self.pages.get() {
            return Err(Errno::ERANGE);
        }
        let (offset, len) = (pages.start * self.page.bytes(), pages.len() * self.page.bytes());
        // SAFETY: pages of our own mapping, as just checked. Views are all there is to them, and
        // what a view meets on a closed page is a fault.
        unsafe { sys::protect(self.start.byte_add(offset).cast(), len, protection.flags()) }
    }

    /// Copies a page to the same place in a region as large, within a signal handler.
    pub(crate) fn copy_page_to(&self, page: usize, to: &Region) {
        if page >= self.pages.get().min(to.pages.get()) {
            return;
        }
        let (offset, len) = (page * self.page.bytes(), self.page.bytes());
        // SAFETY: both pages are inside, as just checked, and in two mappings; nobody has
        // references to either.
        unsafe {
            let (from, to) = (self.start.byte_add(offset), to.start.byte_add(offset));
            landing::copy(from.as_ptr(), to.as_ptr(), len);
        }
    }

    /// Makes all pages zeros that take no memory. Not for a region that a file is mapped over.
    pub(crate) fn discard(&self) {
        // SAFETY: our own mapping; views expect the bytes to change. It cannot fail for memory
        // that is neither locked nor a file's.
        let _ = unsafe { sys::discard(self.start.cast(), self.len()) };
    }

    /// The number of the page that `address` lies in.
    pub(crate) fn page_of(&self, address: usize) -> Option<usize> {
        let offset = address.checked_sub(self.start.addr().get())?;
        (offset < self.len()).then_some(offset / self.page.bytes())
    }

    pub(crate) fn address(&self) -> usize {
        self.start.addr().get()
    }

    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let whole = NonZeroUsize::MIN.saturating_add(self.len() + 2 * self.page.bytes() - 1);
        // SAFETY: our own mapping with its margins; views of it have ended with their borrow.
        let _ = unsafe { sys::unmap(self.start.byte_sub(self.page.bytes()).cast(), whole) };
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({:p}, {} pages of {})", self.start, self.pages, self.page)
    }
}
