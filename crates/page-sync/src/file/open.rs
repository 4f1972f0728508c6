//! How a file of whole pages comes about: created, opened, or adopted.
//!
//! In each case it is mapped *before* anything of it is changed, so that what cannot be mapped (a
//! file of /proc, a folder) stays as it was; and room for every byte is set aside before anyone
//! stores a byte: a full disk is an error here, and would be SIGBUS later.

use std::fs::File;
use std::path::Path;

use ipc_common::{Errno, Error, PageSize, Result};
use mmap_file::{Access, Found, MapOptions, create_new, grow_file, open_file};

use super::{PageFile, Pages};
use crate::inspect::{FileSystem, FileSystemKind};
use crate::sync::Health;

/// Nobody but the owner. Whoever wants to share the file widens it.
const MODE: u32 = 0o600;

impl PageFile {
    /// Creates a file of `count` pages, with mode 0600. It appears under its name complete: nobody
    /// ever finds it shorter, and a process killed meanwhile leaves nothing
    /// ([`mmap_file::create_new`]).
    ///
    /// # Errors
    ///
    /// `EEXIST` if the name is taken, by a symbolic link, too; `EINVAL` for no pages; `ENOSPC`,
    /// `EDQUOT`, `EFBIG` if there is no room; `EROFS`, `EACCES` and others of open(2). Nothing has
    /// been created then.
    pub fn create_new(path: impl AsRef<Path>, count: usize) -> Result<PageFile> {
        let (path, pages) = (path.as_ref(), Pages::new(count, PageSize::system())?);
        let file = create_new(path, pages.bytes() as u64, MODE, |_| Ok(()))?;
        mapped(file, path, pages, Access::ReadWrite)
    }

    /// Creates a file of `count` pages in a folder, without a name: it is found by nobody, and gone
    /// when it is closed. A process killed meanwhile leaves nothing, where the file system knows
    /// O_TMPFILE; elsewhere it has a name for a moment.
    ///
    /// # Errors
    ///
    /// As for [`PageFile::create_new`].
    #[cfg(feature = "power-cut")]
    pub(crate) fn create_unnamed(folder: &Path, count: usize) -> Result<PageFile> {
        use std::os::unix::fs::OpenOptionsExt;

        let pages = Pages::new(count, PageSize::system())?;
        let mut options = File::options();
        options.read(true).write(true).mode(MODE).custom_flags(libc::O_TMPFILE);
        let file = options.open(folder);
        match file.map_err(|error| Error::from_io("open", &error, folder.display().to_string())) {
            Ok(file) => mapped(file, &folder.join("(no name)"), pages, Access::ReadWrite),
            // EISDIR: a kernel or file system that sees only the folder.
            Err(error)
                if matches!(error.errno(), Errno::EOPNOTSUPP | Errno::EISDIR | Errno::EINVAL) =>
            {
                named_for_a_moment(folder, count)
            }
            Err(error) => Err(error),
        }
    }

    /// Opens a file for reading and writing that is whole pages already, and sets room aside for
    /// the holes in it. A symbolic link is not followed ([`Access::ReadWrite`]).
    ///
    /// # Errors
    ///
    /// - `EINVAL` if its length is no whole number of pages, or 0: see [`PageFile::adopt`];
    /// - `ENODEV` if it cannot be mapped: the files of /proc and /sys, above all;
    /// - `ENOSPC`, `EDQUOT` if it has holes, and the device no room for them;
    /// - `EACCES`, `EROFS`, `ELOOP`, `ENOENT`, `EISDIR` and others of open(2).
    pub fn open(path: impl AsRef<Path>) -> Result<PageFile> {
        opened(path.as_ref(), Access::ReadWrite)
    }

    /// Opens a file for reading that is whole pages. It can be synced all the same: what it holds
    /// then is what others have written.
    ///
    /// # Errors
    ///
    /// As for [`PageFile::open`], without those about room; a symbolic link is followed.
    pub fn open_to_read(path: impl AsRef<Path>) -> Result<PageFile> {
        opened(path.as_ref(), Access::Read)
    }

    /// Opens a file of exactly `count` pages, or creates it.
    ///
    /// # Errors
    ///
    /// Those of [`PageFile::open`] and [`PageFile::create_new`]; `EINVAL` if the file is there and
    /// has another length.
    pub fn open_or_create(path: impl AsRef<Path>, count: usize) -> Result<(PageFile, Found)> {
        let (path, pages) = (path.as_ref(), Pages::new(count, PageSize::system())?);
        let (file, found) =
            mmap_file::open_or_create(path, pages.bytes() as u64, MODE, |_| Ok(()))?;
        let there = exact(&file, path)?;
        if there != pages {
            return Err(Error::refused("open", Errno::EINVAL, path.display().to_string())
                .with_remedy(format!("this file has {there}, and {pages} were asked for")));
        }
        Ok((mapped(file, path, pages, Access::ReadWrite)?, found))
    }

    /// Opens a file of any length for reading and writing, and makes it longer, up to the next
    /// whole page, with zeros. An empty one gets a page. It is never cut: of the lecture's
    /// `PageSize + 1` bytes it makes two pages.
    ///
    /// # Errors
    ///
    /// As for [`PageFile::open`]. The file has its old length then.
    pub fn adopt(path: impl AsRef<Path>) -> Result<PageFile> {
        let path = path.as_ref();
        let file = open_real(path, Access::ReadWrite)?;
        let pages = Pages::to_hold(length(&file, path)?.max(1), PageSize::system())?;
        mapped(file, path, pages, Access::ReadWrite)
    }
}

#[cfg(feature = "power-cut")]
fn named_for_a_moment(folder: &Path, count: usize) -> Result<PageFile> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanos = now.map_or(0, |now| now.as_nanos());
    let path = folder.join(format!(".page-sync-{}-{nanos}", std::process::id()));
    let file = PageFile::create_new(&path, count)?;
    std::fs::remove_file(&path)
        .map_err(|error| Error::from_io("unlink", &error, path.display().to_string()))?;
    Ok(file)
}

fn opened(path: &Path, access: Access) -> Result<PageFile> {
    let file = open_real(path, access)?;
    let pages = exact(&file, path)?;
    mapped(file, path, pages, access)
}

/// Opens a file that is there even while nobody reads it. Those of /proc call themselves empty,
/// and it would be no help to hear that.
fn open_real(path: &Path, access: Access) -> Result<File> {
    let file = open_file(path, access)?;
    match FileSystem::of(&file).known() {
        Some(found) if found.kind() == FileSystemKind::Pseudo => {
            let about = format!("{}, on {found}", path.display());
            Err(Error::refused("open", Errno::ENODEV, about).with_remedy(
                "the kernel makes this file up while it is read, so it has no pages to map; name a \
                 file on a disk",
            ))
        }
        _ => Ok(file),
    }
}

fn mapped(file: File, path: &Path, pages: Pages, access: Access) -> Result<PageFile> {
    let options = MapOptions::new().len(pages.bytes());
    let mapping = match access {
        Access::Read => options.map(&file)?,
        Access::ReadWrite => {
            let mapping = options.read_write().allow_past_end().map(&file)?;
            grow_file(&file, pages.bytes() as u64)?;
            mapping
        }
    };
    let path = std::path::absolute(path).unwrap_or(path.to_owned());
    Ok(PageFile { file, path, mapping, pages, health: Health::new() })
}

/// As many whole pages as it has.
fn exact(file: &File, path: &Path) -> Result<Pages> {
    let len = length(file, path)?;
    Pages::exactly(len, PageSize::system()).map_err(|error| {
        let about = format!("{}, {len} bytes", path.display());
        let remedy = match len {
            0 => "the file is empty; `PageFile::adopt` gives it a page".to_owned(),
            _ => format!("{} (`PageFile::adopt` makes it so)", error.remedy()),
        };
        Error::refused("open", Errno::EINVAL, about).with_remedy(remedy)
    })
}

fn length(file: &File, path: &Path) -> Result<u64> {
    file.metadata()
        .map(|found| found.len())
        .map_err(|error| Error::from_io("fstat", &error, path.display().to_string()))
}
