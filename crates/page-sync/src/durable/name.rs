//! A new file's name, made durable.

use std::path::Path;

use ipc_common::{Errno, Error, Result};
use mmap_file::note::Whereabouts;
use nix::fcntl::AtFlags;
use nix::sys::stat::fstatat;

use super::place::Place;
use crate::file::PageFile;

/// Waits until the name of a file is on the disk: an fsync(2) of the folder that it stands in.
///
/// For a new file, a second name, or one that was renamed; and for a folder. Of a folder that is
/// new itself, the name stands in the one above, and so on up. A symbolic link is a name, too: this
/// is about the link, not about the file that it leads to.
///
/// # Errors
///
/// `ENOENT` if there is no such name; `EIO` and others of fsync(2): then nobody knows; `EACCES` if
/// the folder may not be read.
pub fn persist_name(path: impl AsRef<Path>) -> Result<()> {
    let place = Place::of(path.as_ref())?;
    fstatat(&place.folder, place.name, AtFlags::AT_SYMLINK_NOFOLLOW)
        .map_err(|errno| place.error("open", errno))?;
    place.sync()
}

/// Waits until all of a file is on the disk: bytes, length, mode (fsync(2)), and the name by which
/// it was opened. What a program has to do before it says "saved".
///
/// # Errors
///
/// Those of [`PageFile::fsync`] and [`persist_name`]; `ESTALE` if the name leads to another file by
/// now, or to none: the bytes are on the disk, and nobody will find them by that name.
pub fn persist(file: &PageFile) -> Result<()> {
    file.fsync()?;
    persist_name(file.path())?;
    let why = match file.whereabouts()? {
        Whereabouts::Here => return Ok(()),
        Whereabouts::Replaced => "the file was replaced: this name leads to another one now",
        Whereabouts::Removed => "the file was removed or renamed: this name leads nowhere",
    };
    Err(Error::refused("persist", Errno::ESTALE, file.path().display().to_string()).with_remedy(
        format!("{why}; open it anew, or what you have stored will not be found by it"),
    ))
}
