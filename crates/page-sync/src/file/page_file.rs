//! A file of whole pages, mapped.

use std::fs::File;
use std::path::{Path, PathBuf};

use ipc_common::view::{ReadView, WriteView};
use ipc_common::{Error, Result};
use mmap_file::note::{Whereabouts, whereabouts};
use mmap_file::{Access, Mapping};

use super::Pages;
use crate::sync::Health;

/// A file of exactly so many pages, all of them mapped shared and with room on the device, and
/// what is known about its way to the disk.
///
/// It is synced by its own functions only ([`PageFile::sync`] and its neighbours in
/// [`sync`](crate::sync)), and gives neither descriptor nor mapping away: the kernel reports a
/// failed write *once* for each opening of a file, and whoever called fsync(2) on the descriptor
/// behind our back would have taken the report from us. For looking, there is [`PageFile::reopen`].
///
/// ```
/// use page_sync::file::PageFile;
/// use page_sync::sync::Msync;
/// # let folder = std::env::temp_dir().join(format!("page-file-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// # let path = folder.join("file");
///
/// let file = PageFile::create_new(&path, 3)?;
/// let _ = file.page_mut(1)?.put_text(b"This is a test")?;
/// assert_eq!(file.sync(file.pages().bytes_of(1)?, Msync::SYNC)?, 1..2);
/// page_sync::durable::persist_name(&path)?; // it is a new file: its name, too
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PageFile {
    pub(super) file: File,
    /// Absolute, so that it means the same after a chdir(2).
    pub(super) path: PathBuf,
    pub(super) mapping: Mapping,
    pub(super) pages: Pages,
    pub(super) health: Health,
}

impl PageFile {
    /// How many pages of what size.
    pub fn pages(&self) -> Pages {
        self.pages
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its first page begins in this process.
    pub fn address(&self) -> usize {
        self.mapping.address()
    }

    /// Whether its bytes can be changed.
    pub fn is_writable(&self) -> bool {
        self.mapping.protection().can_write()
    }

    /// All bytes, for looking.
    ///
    /// # Errors
    ///
    /// `EIO` if the file was cut shorter and zeros have taken the place of its last pages
    /// ([`Mapping::check`]).
    pub fn view(&self) -> Result<ReadView<'_>> {
        self.mapping.view()
    }

    /// All bytes, for looking and changing.
    ///
    /// # Errors
    ///
    /// `EACCES` if the file was opened for reading; `EIO` as for [`PageFile::view`].
    pub fn write_view(&self) -> Result<WriteView<'_>> {
        self.mapping.write_view()
    }

    /// The bytes of one page, for looking; the first page is 0.
    ///
    /// # Errors
    ///
    /// `ERANGE` if there is no such page; `EIO` as for [`PageFile::view`].
    pub fn page(&self, number: usize) -> Result<ReadView<'_>> {
        let bytes = self.pages.bytes_of(number)?;
        self.view()?.part(bytes.start, bytes.len())
    }

    /// The bytes of one page, for looking and changing.
    ///
    /// # Errors
    ///
    /// As for [`PageFile::page`] and [`PageFile::write_view`].
    pub fn page_mut(&self, number: usize) -> Result<WriteView<'_>> {
        let bytes = self.pages.bytes_of(number)?;
        self.write_view()?.part(bytes.start, bytes.len())
    }

    /// Whether the path still leads to this file. If not, all that is synced reaches a file that
    /// nobody will find under that name.
    ///
    /// # Errors
    ///
    /// Those of stat(2), such as `EACCES` for a folder on the way that is closed now.
    pub fn whereabouts(&self) -> Result<Whereabouts> {
        whereabouts(&self.file, &self.path)
    }

    /// The same file, opened once more, for reading: an opening of its own, which can be handed
    /// to anybody. It works after the file was renamed or removed, too.
    ///
    /// # Errors
    ///
    /// Those of open(2); `ENOENT` where /proc is not mounted.
    pub fn reopen(&self) -> Result<File> {
        use std::os::fd::AsRawFd;
        mmap_file::open_file(format!("/proc/self/fd/{}", self.file.as_raw_fd()), Access::Read)
            .map_err(|error| Error::new(error.call(), error.errno(), self.name()))
    }

    /// What to call it in an error.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    pub(crate) fn health_mut(&mut self) -> &mut Health {
        &mut self.health
    }
}
