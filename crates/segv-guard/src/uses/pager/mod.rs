//! Pages filled on first touch: demand paging in user space.
//!
//! ```text
//!    a thread                        the handler, on it          the pager's own thread
//!    ────────                        ──────────────────          ──────────────────────
//!    touches page 3 ── SIGSEGV ────► page 3 is wanted ─────────► fill(3, bytes)
//!                                    sleeps (futex)              copies them to page 3
//!                                                                opens page 3
//!    reads page 3 ◄── return ─────── is woken ◄───────────────── page 3 is filled
//! ```
//!
//! **Where `fill` runs.** Not in the handler: there it could neither allocate nor lock nor read a
//! file by any ordinary means, and a closure that does would be undefined behaviour at some bad
//! moment. So a thread of the pager's own runs it, and the handler only asks and waits, by atomics
//! and futex(2). Many threads may touch one page at once: it is filled once, and all go on.
//!
//! The memory is mapped twice: once where everybody looks, page by page opened; and once where the
//! pager's thread writes. So no thread ever sees half a page.

mod server;
mod state;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

use ipc_common::view::WriteView;
use ipc_common::{Error, PageSize, Result};

use crate::handler::Guard;
use crate::sys;
use crate::table::{Registration, Turn};
use state::{FILLED, State};

/// Memory whose pages are filled by a function of the program's when they are first touched.
///
/// ```
/// use segv_guard::uses::Pager;
///
/// let pager = Pager::new(segv_guard::install()?, 1 << 30, |page, bytes| {
///     bytes[..4].copy_from_slice(&(page as u32).to_ne_bytes());
///     Ok(())
/// })?;
/// let size = pager.page_size().bytes();
///
/// assert_eq!(pager.view().load_u32(77 * size, std::sync::atomic::Ordering::Relaxed)?, 77);
/// assert_eq!(pager.filled(), 1, "of the pages in a GiB");
/// # Ok::<(), ipc_common::Error>(())
/// ```
///
/// What may go wrong, and what happens then:
///
/// - `fill` fails or panics: [`Pager::read`] and [`Pager::write`] return its error, copies of the
///   view return `EFAULT`, and an atomic in place ends the process as the fault that it is. The
///   next touch asks again.
/// - `fill` touches the pager's own memory where it is not filled: likewise. It cannot wait for
///   itself.
/// - A thread holds a lock that `fill` wants, and touches a page: both wait for ever.
/// - The process has no mapping left for opening one page more (`vm.max_map_count`): the pages
///   between it and the nearest open one are filled, too, which takes no mapping.
/// - A child made by fork(2) has the memory, shared with its parent, but not the thread: touching
///   a page there that is not filled is a fault like any other.
pub struct Pager {
    /// `None` only while dropping.
    range: Option<Registration>,
    state: Arc<State>,
    server: Option<JoinHandle<()>>,
}

impl Pager {
    /// As many pages as hold `bytes` bytes. `fill` is given a page's number and its bytes, all 0;
    /// it is called on a thread of the pager's, for one page at a time.
    ///
    /// # Errors
    ///
    /// As for [`crate::region::Region::new`], those of memfd_create(2), and `EAGAIN` if no thread
    /// can be started.
    pub fn new(
        guard: Guard,
        bytes: usize,
        fill: impl FnMut(usize, &mut [u8]) -> Result<()> + Send + 'static,
    ) -> Result<Pager> {
        let state = Arc::new(State::new(bytes)?);
        let served = state.clone();
        let server = thread::Builder::new()
            .name("pager".to_owned())
            .spawn(move || server::serve(&served, fill))
            .map_err(|error| Error::from_io("pthread_create", &error, "the pager's thread"))?;
        let mut pager = Pager { range: None, state, server: Some(server) };
        let (start, len) = (pager.state.window.address(), pager.state.window.len());
        let range = guard.register(start, len, Turn::BeforeCopies, pager.state.clone())?;
        pager.range = Some(range);
        Ok(pager)
    }

    /// The memory. Touching it waits for `fill`.
    pub fn view(&self) -> WriteView<'_> {
        self.state.window.view()
    }

    /// Copies bytes out, like [`ipc_common::view::ReadView::read`].
    ///
    /// # Errors
    ///
    /// The error of `fill` for the first page that could not be filled; `ERANGE` as for the view.
    pub fn read(&self, offset: usize, into: &mut [u8]) -> Result<()> {
        let len = into.len();
        self.or_why(offset, len, || self.view().read(offset, into))
    }

    /// Copies bytes in, like [`WriteView::write`]. A page that is only partly written is filled
    /// first.
    ///
    /// # Errors
    ///
    /// As for [`Pager::read`].
    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        self.or_why(offset, bytes.len(), || self.view().write(offset, bytes))
    }

    /// How many pages there are.
    pub fn pages(&self) -> usize {
        self.state.window.pages()
    }

    /// The size of one.
    pub fn page_size(&self) -> PageSize {
        self.state.window.page_size()
    }

    /// How many pages have been filled.
    pub fn filled(&self) -> usize {
        self.state.pages.iter().filter(|page| page.load(Ordering::Relaxed) == FILLED).count()
    }

    /// Copies, and says why a page was not filled if that is what stopped the copy.
    fn or_why(
        &self,
        offset: usize,
        len: usize,
        mut copy: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        let Err(error) = copy() else { return Ok(()) };
        let Some(pages) = self.page_size().touched(offset, len) else { return Err(error) };
        if let Some(failure) = self.state.failure(pages.clone()) {
            return Err(failure);
        }
        // Another thread may have asked again meanwhile, with more luck.
        let inside = pages.end <= self.pages();
        if inside && pages.into_iter().all(|page| self.state.is_filled(page)) {
            return copy();
        }
        Err(error)
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        // First the range: a handler that is waiting for a page still gets it.
        drop(self.range.take());
        self.state.stop.store(true, Ordering::Release);
        self.state.ring();
        if let Some(server) = self.server.take() {
            // Not from within `fill`: while that runs, somebody waits for it who borrows the pager.
            // `serve` does not panic, and there would be nobody to tell.
            let _ = server.join();
        }
    }
}

impl fmt::Debug for Pager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pager({:?}, {} filled)", self.state.window, self.filled())
    }
}

/// For a message about page `page`.
fn about(page: usize) -> String {
    format!("page {page} of a pager")
}

/// The handler's thread and process, in numbers that a signal handler can ask for.
fn here() -> (i32, i32) {
    (sys::process_id(), sys::thread_id())
}
