//! How a file is to be mapped: the six parameters of mmap(2), by name. Slide "POSIX Memory Mapping".

mod request;

use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd};

use ipc_common::{Result, stack};

use super::{Advice, Mapping, Protection, Sharing};
use crate::sys::{self, Memory, Pages};

/// A description of a mapping, to be filled in and then carried out by [`map`](MapOptions::map).
///
/// Without more it means: the whole file, shared, for reading.
///
/// ```
/// use mmap_file::{MapOptions, Protection};
/// # let folder = std::env::temp_dir().join(format!("mmap-options-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// # let path = folder.join("file");
/// std::fs::write(&path, b"0123456789")?;
/// let file = std::fs::File::open(&path)?;
///
/// let mapping = MapOptions::new().offset(3).len(4).map(&file)?;
/// assert_eq!(mapping.view()?.read_vec(0, 4)?, b"3456");
/// assert!(mapping.write_view().is_err(), "it was mapped for reading");
///
/// // One byte more than the file has would be SIGBUS on some later day. It is refused today.
/// assert!(MapOptions::new().len(11).map(&file).is_err());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is mapped before `map` is called"]
pub struct MapOptions {
    offset: u64,
    len: Option<usize>,
    pub(super) protection: Protection,
    pub(super) sharing: Sharing,
    populate: bool,
    past_end: bool,
    unguarded: bool,
    advice: Option<Advice>,
    at: Option<NonZeroUsize>,
}

impl MapOptions {
    /// The whole file, shared, for reading.
    pub fn new() -> MapOptions {
        MapOptions::default()
    }

    /// Begins at this byte of the file. Any will do: mmap(2) wants a multiple of the page size,
    /// so the mapping begins at the start of the page, and the view at the byte.
    pub fn offset(mut self, bytes: u64) -> MapOptions {
        self.offset = bytes;
        self
    }

    /// Has this many bytes. Without it: up to the end of the file.
    pub fn len(mut self, bytes: usize) -> MapOptions {
        self.len = Some(bytes);
        self
    }

    /// What may be done with the bytes.
    pub fn protection(mut self, protection: Protection) -> MapOptions {
        self.protection = protection;
        self
    }

    /// For reading and writing.
    pub fn read_write(self) -> MapOptions {
        self.protection(Protection::ReadWrite)
    }

    /// Changes are seen by this process only. A file opened for reading is enough, even to write.
    pub fn private(mut self) -> MapOptions {
        self.sharing = Sharing::Private;
        self
    }

    /// Reads the pages in and maps them now (MAP_POPULATE), so that the first touch does not
    /// fault. A page that cannot be had is no error: its first touch faults as usual.
    pub fn populate(mut self) -> MapOptions {
        self.populate = true;
        self
    }

    /// Tells the kernel how the bytes will be used, before the mapping is handed out.
    pub fn advice(mut self, advice: Advice) -> MapOptions {
        self.advice = Some(advice);
        self
    }

    /// Allows bytes past the end of the file. Those in the file's last page can be touched and are
    /// shared, but never reach the disk. Of those behind it, until the file has grown, a copy is
    /// `EIO`, and an atomic spoils the mapping (see [`truncation`](crate::mapping::truncation)); with
    /// [`unguarded`](MapOptions::unguarded) both are SIGBUS.
    pub fn allow_past_end(mut self) -> MapOptions {
        self.past_end = true;
        self
    }

    /// Leaves the signals alone: a truncated file then kills whoever touches what is missing, by
    /// SIGBUS, unless somebody else has installed a handler. See
    /// [`truncation`](crate::mapping::truncation) for what is done otherwise.
    pub fn unguarded(mut self) -> MapOptions {
        self.unguarded = true;
        self
    }

    /// At this address, a multiple of the page size, and only if nothing is mapped there
    /// (MAP_FIXED_NOREPLACE). The page that holds the offset begins there.
    pub fn at(mut self, address: NonZeroUsize) -> MapOptions {
        self.at = Some(address);
        self
    }

    /// Maps `file`, which may be closed afterwards: the mapping keeps the file alive.
    ///
    /// **The first mapping installs a handler for SIGSEGV and SIGBUS in this process**, which stays
    /// ([`segv_guard::install`] says how it gets along with others), so that a file that is cut
    /// shorter is an error and not the end. A program that has to do without it says
    /// [`unguarded`](MapOptions::unguarded) each time.
    ///
    /// In a child that a program with several threads has made by fork(2), until it calls exec(2),
    /// only unguarded mappings may be made, and no guarded one dropped: as with any lock, another
    /// thread may have been at the list of those that are watched, and the child would wait for it
    /// for ever. Using the mappings that are there is safe.
    ///
    /// # Errors
    ///
    /// - `EACCES`: the file is not open for reading, or shared writing is asked of a file that is
    ///   not open for writing;
    /// - `EINVAL`: no bytes, an empty file, or an address that is not a multiple of the page size;
    /// - `ENODEV`: not a regular file;
    /// - `ERANGE`: past the end of the file;
    /// - `EEXIST`: something is mapped at the address, or the stack grows there;
    /// - `EOVERFLOW`, `ENOMEM`, `EPERM`, `EAGAIN`: as mmap(2) says;
    /// - those of [`segv_guard::install`].
    pub fn map(&self, file: impl AsFd) -> Result<Mapping> {
        self.map_fd(file.as_fd())
    }

    /// Once for all kinds of files.
    pub(in crate::mapping) fn map_fd(&self, fd: BorrowedFd<'_>) -> Result<Mapping> {
        let pages = match self.at {
            None => {
                let request = self.request(fd)?;
                match Pages::of_file(fd, &request) {
                    Ok(pages) => pages,
                    Err(errno) => return Err(self.failed(fd, &request, errno)),
                }
            }
            Some(address) => self.pages_at(fd, address)?,
        };
        let memory = match self.unguarded {
            true => Memory::unguarded(pages, self.protection),
            false => Memory::guarded(pages, self.protection)?,
        };
        self.finish(memory)
    }

    /// Maps `file` at `address`, **in place of whatever is mapped there** (MAP_FIXED): the heap, a
    /// stack, this very code, without a word.
    ///
    /// # Errors
    ///
    /// As for [`map`](MapOptions::map). `EEXIST` only if a guarded [`Mapping`] that is not dropped,
    /// but forgotten, still watches over these pages: give it up by [`Mapping::leave_mapped`].
    /// Nothing has been replaced then.
    ///
    /// # Safety
    ///
    /// Every page in the range, the last one whole,
    /// - belongs to the caller, or to nobody and stays so until the call returns;
    /// - is not referred to any more: by references, views, or owners that would unmap it later.
    pub unsafe fn map_replacing(&self, file: impl AsFd, address: NonZeroUsize) -> Result<Mapping> {
        let fd = file.as_fd();
        let request = self.request_at(fd, address)?;
        let pages = request.window.whole_pages();
        let watch = match self.unguarded {
            true => None,
            // Before anything is replaced: it may fail.
            // SAFETY: the pages are the caller's, and then the mapping's, in which no reference is.
            false => Some(unsafe { sys::watch(address, pages, request.protection) }?),
        };
        // SAFETY: passed on to our caller.
        let pages = unsafe { Pages::at_taken(fd, &request, address) }
            .map_err(|errno| self.failed(fd, &request, errno))?;
        self.finish(match watch {
            Some(watch) => Memory::guarded_by(watch, pages, self.protection),
            None => Memory::unguarded(pages, self.protection),
        })
    }

    /// Apart, so that those who do not care where need not carry it about.
    #[inline(never)]
    fn pages_at(&self, fd: BorrowedFd<'_>, address: NonZeroUsize) -> Result<Pages> {
        let request = self.request_at(fd, address)?;
        let keep_clear = || stack::keep_clear("mmap", address.get(), request.window.mapped());
        keep_clear()?;
        let pages = Pages::at_free(fd, &request, address)
            .map_err(|errno| self.failed(fd, &request, errno))?;
        // Another thread may have unmapped what stood between us and the stack.
        keep_clear()?;
        Ok(pages)
    }

    #[inline]
    fn finish(&self, memory: Memory) -> Result<Mapping> {
        match self.advice {
            None => Ok(Mapping::of(memory, self.sharing)),
            Some(advice) => Mapping::of(memory, self.sharing).advised(advice),
        }
    }
}
