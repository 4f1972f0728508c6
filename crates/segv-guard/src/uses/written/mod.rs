//! Write tracking: which pages were written since I looked.
//!
//! ```text
//!    page     0    1    2    3    4    5
//!            [r]  [r]  [r]  [r]  [r]  [r]      all read-only
//!    store to 1, to 4, to 1 again              2 faults
//!            [r]  [rw] [r]  [r]  [rw] [r]
//!    take()                                    1..2, 4..5, and all read-only again
//! ```
//!
//! What it is for: saving only what has changed, sending only what has changed, a garbage
//! collector that looks only at what has changed.
//!
//! Two ways to the same answer:
//!
//! - **Faults** ([`Backend::Faults`]): this crate's handler, as drawn. It runs on any kernel; each
//!   page costs a signal, an `mprotect` and, in the worst case, two mappings.
//! - **The kernel's own marks** ([`Backend::Kernel`], Linux 6.7): userfaultfd(2) with asynchronous
//!   write protection, read by the `PAGEMAP_SCAN` ioctl. The kernel notes the write itself; no
//!   signal, no mapping more, and system calls may write, too. But the marks stay behind at
//!   fork(2): a child is told that all of its pages may have been written.

mod faults;
mod kernel;
pub(crate) mod protocol;

use std::fmt;
use std::ops::Range;

use ipc_common::Result;
use ipc_common::view::WriteView;

use crate::handler::Guard;
use crate::region::Region;
use faults::Faults;
use kernel::Kernel;

/// Who notices the writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The handler of this crate.
    Faults,
    /// The kernel: userfaultfd(2), Linux 6.7.
    Kernel,
}

/// Pages of memory, and which of them were written since the last [`WriteTracker::take`].
///
/// ```
/// use segv_guard::uses::WriteTracker;
///
/// let tracker = WriteTracker::new(segv_guard::install()?, 1 << 20)?;
/// let page = tracker.page_size().bytes();
/// tracker.view().write(3 * page - 2, b"over the edge of page 2")?;
/// tracker.view().write(9 * page, b"page 9")?;
///
/// assert_eq!(tracker.take()?, [2..4, 9..10]);
/// assert_eq!(tracker.take()?, [], "nothing since");
/// # Ok::<(), ipc_common::Error>(())
/// ```
pub struct WriteTracker {
    marks: Marks,
}

enum Marks {
    Faults(Faults),
    Kernel(Kernel),
}

impl WriteTracker {
    /// A tracker of as many pages as hold `bytes` bytes, with the kernel's own marks where there
    /// are any, and by faults elsewhere.
    ///
    /// # Errors
    ///
    /// As for [`Region::new`].
    pub fn new(guard: Guard, bytes: usize) -> Result<WriteTracker> {
        WriteTracker::with(guard, bytes, Backend::Kernel)
            .or_else(|_| WriteTracker::with(guard, bytes, Backend::Faults))
    }

    /// The same with a backend by name.
    ///
    /// # Errors
    ///
    /// As for [`Region::new`]; for [`Backend::Kernel`], `ENOSYS`, `EPERM` or `EINVAL` if the kernel
    /// does not have it, or not for this user.
    pub fn with(guard: Guard, bytes: usize, backend: Backend) -> Result<WriteTracker> {
        let region = Region::new(bytes)?;
        let marks = match backend {
            Backend::Faults => Marks::Faults(Faults::new(guard, region)?),
            Backend::Kernel => Marks::Kernel(Kernel::new(region)?),
        };
        Ok(WriteTracker { marks })
    }

    /// Who notices the writes here.
    pub fn backend(&self) -> Backend {
        match self.marks {
            Marks::Faults(_) => Backend::Faults,
            Marks::Kernel(_) => Backend::Kernel,
        }
    }

    /// The memory, to be read and written from any thread. Copies and atomics are noticed alike.
    pub fn view(&self) -> WriteView<'_> {
        self.region().view()
    }

    /// How many pages there are.
    pub fn pages(&self) -> usize {
        self.region().pages()
    }

    /// The size of one.
    pub fn page_size(&self) -> ipc_common::PageSize {
        self.region().page_size()
    }

    /// The numbers of the pages that were written since the last call, as ranges in ascending
    /// order.
    ///
    /// Every write that was over before the call (in this thread, or known to it by an atomic or a
    /// lock) is reported by it, if no call before has reported it. A write during the call is
    /// reported by this one or the next, and then its page's bytes are to be seen after that call.
    /// A page may be reported twice, or without a write, if one was just beginning; never too
    /// seldom. Calls on several threads wait for each other.
    ///
    /// A child made by fork(2) has memory of its own. By faults, it tracks it from there on as the
    /// parent does its own; the kernel's marks are not inherited, and each call in the child
    /// reports every page. In neither case does it take anything from the parent. (The child of a
    /// program with several threads has only the one that forked: if another was in this call, or
    /// in the handler for one of these pages, that page or this call waits for ever.)
    ///
    /// # Errors
    ///
    /// Those of mprotect(2), of `PAGEMAP_SCAN`; what was to be reported then is reported by the
    /// next call.
    pub fn take(&self) -> Result<Vec<Range<usize>>> {
        match &self.marks {
            Marks::Faults(faults) => faults.take(),
            Marks::Kernel(kernel) => kernel.take(),
        }
    }

    fn region(&self) -> &Region {
        match &self.marks {
            Marks::Faults(faults) => faults.region(),
            Marks::Kernel(kernel) => kernel.region(),
        }
    }
}

impl fmt::Debug for WriteTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteTracker({:?}, {:?})", self.region(), self.backend())
    }
}

/// Adds `page` to ascending ranges.
fn push(ranges: &mut Vec<Range<usize>>, page: usize) {
    match ranges.last_mut() {
        Some(last) if last.end == page => last.end += 1,
        _ => ranges.push(page..page + 1),
    }
}
