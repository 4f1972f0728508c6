//! What the page cache holds of a file: cachestat(2), Linux 6.5.
//!
//! True for: whether a page is in the cache, whether it is dirty, whether it is just being
//! written. Not for the disk: "clean" means that the page was handed on
//! ([`FileSystem::clean_means`]), not that it survives a power cut.

mod refusal;
mod state;

use std::ops::{ControlFlow, Range};
use std::os::fd::{AsFd, BorrowedFd};

use ipc_common::PageSize;
use nix::sys::stat::{SFlag, fstat};

use super::filesystem::Kind;
use super::{Answer, FileSystem, Reason, Runs};
use crate::sys::dax::is_dax;
use crate::sys::page_cache::{CacheStat, cachestat};

pub use state::{Counts, PageState};

/// The page cache, asked about one file.
///
/// ```
/// use page_sync::inspect::{Answer, Cache};
///
/// let this = std::fs::File::open("/proc/self/exe")?;
/// match Cache::of(&this) {
///     Answer::Known(cache) => println!("page 0: {:?}", cache.pages(0..1)),
///     Answer::Unknown(reason) => println!("{reason}"),
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cache<'file> {
    fd: BorrowedFd<'file>,
    page: PageSize,
    file_system: FileSystem,
}

impl<'file> Cache<'file> {
    /// Whether the page cache can be asked about this file, and then: the one to ask. Opening it for
    /// reading is enough, if one owns it or may write it.
    pub fn of<F: AsFd + ?Sized>(file: &'file F) -> Answer<Cache<'file>> {
        Cache::try_of(file.as_fd()).into()
    }

    fn try_of(fd: BorrowedFd<'file>) -> Result<Cache<'file>, Reason> {
        let failed = |call| move |errno| Reason::Failed { call, errno };
        let kind = fstat(fd).map_err(failed("fstat"))?.st_mode;
        if SFlag::from_bits_truncate(kind) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Err(Reason::NotRegular);
        }
        let file_system = FileSystem::of(fd).ok()?;
        match file_system.kind() {
            // Here it would answer "nothing cached, nothing dirty", which is not so.
            Kind::Overlay => return Err(Reason::Overlay),
            Kind::HugePages => return Err(Reason::HugePages),
            Kind::Pseudo => return Err(Reason::Pseudo),
            // If statx is refused, this is no file on persistent memory that we know of.
            _ if is_dax(fd).unwrap_or(false) => return Err(Reason::Dax),
            _ => {}
        }
        let cache = Cache { fd, page: PageSize::system(), file_system };
        cache.stat(&(0..1))?;
        Ok(cache)
    }

    /// The file system that it is about.
    pub fn file_system(&self) -> &FileSystem {
        &self.file_system
    }

    /// Whether it can be seen here that a page is dirty. Not on tmpfs.
    pub fn shows_dirty(&self) -> Answer<()> {
        match self.file_system.kind() {
            Kind::Memory => Answer::Unknown(Reason::NoDisk),
            _ => Answer::Known(()),
        }
    }

    /// What is true, and easily misread.
    pub fn notes(&self) -> Vec<&'static str> {
        let mut notes = vec![self.file_system.clean_means()];
        if self.shows_dirty().is_known() {
            notes.push(
                "dirty is kept by folio: where a file was written in larger pieces, or read ahead, \
                 the kernel keeps several pages as one, and all of them are dirty when one is",
            );
        }
        if self.file_system.kind() == Kind::OwnCache {
            notes.push("only pages that were mapped are in the page cache on this file system");
        }
        notes
    }

    /// Numbers of the file's pages in this range, in one call however long it is. The range is in
    /// pages, and may go past the end of the file.
    pub fn count(&self, pages: Range<u64>) -> Answer<Counts> {
        let shown = self.shows_dirty();
        let count = |found: CacheStat| Counts {
            pages: pages.end.saturating_sub(pages.start),
            cached: found.cached,
            dirty: shown.map(|()| found.dirty),
            writeback: shown.map(|()| found.writeback),
            evicted: found.evicted,
            recently_evicted: found.recently_evicted,
        };
        Answer::from(self.stat(&pages)).map(count)
    }

    /// What each page of this range is.
    pub fn pages(&self, pages: Range<u64>) -> Answer<Runs<PageState>> {
        self.pages_while(pages, |_| ControlFlow::Continue(()))
    }

    /// [`pages`](Cache::pages), asking after each call whether to go on. What it is given is the
    /// number of the page that it has come to.
    ///
    /// There is a call for each stretch of equal pages and some more to find where they end, so a
    /// TiB of nothing is one call; a thousand dirty pages, each among clean ones, are some ten
    /// thousand. A page that changes while this goes on is found as it was at some moment.
    pub fn pages_while(
        &self,
        pages: Range<u64>,
        mut go_on: impl FnMut(u64) -> ControlFlow<()>,
    ) -> Answer<Runs<PageState>> {
        let mut runs = Runs::from(pages.start);
        self.halve(pages, &mut runs, &mut go_on).map(|()| runs).into()
    }

    fn halve(
        &self,
        pages: Range<u64>,
        runs: &mut Runs<PageState>,
        go_on: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), Reason> {
        if pages.is_empty() {
            return Ok(());
        }
        let len = pages.end - pages.start;
        let found = self.stat(&pages)?;
        if let Some(state) = PageState::of_all(len, &found, self.shows_dirty().is_known()) {
            runs.push(len, state);
            return match go_on(pages.end) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(Reason::Stopped),
            };
        }
        let middle = pages.start + len / 2;
        self.halve(pages.start..middle, runs, go_on)?;
        self.halve(middle..pages.end, runs, go_on)
    }

    fn stat(&self, pages: &Range<u64>) -> Result<CacheStat, Reason> {
        let page = self.page.bytes() as u64;
        if pages.is_empty() {
            return Ok(CacheStat::default());
        }
        // Past the last byte that any file can have there are no pages; and the call's own sum
        // would wrap.
        let last = i64::MAX as u64 / page;
        let (start, end) = (pages.start.min(last), pages.end.min(last));
        if start == end {
            return Ok(CacheStat::default());
        }
        cachestat(self.fd, start * page, (end - start) * page)
            .map_err(|errno| refusal::reason(self.fd, errno))
    }
}
