//! Creating a file that is never seen empty.
//!
//! `open(O_CREAT)` followed by `ftruncate` leaves a window in which a peer opens a file of length
//! zero, maps it, and dies of SIGBUS at the first touch. So the file is made without a name, given
//! its length and its contents, and named last:
//!
//! ```text
//!   open(folder, O_TMPFILE) ─► fallocate ─► contents ─► linkat(…, name)
//!                                                        ├─ done: it appears, complete
//!                                                        └─ EEXIST: someone was faster
//! ```
//!
//! A process killed on the way leaves nothing. Where the file system does not know `O_TMPFILE`,
//! a hidden name takes its place, and `renameat2(RENAME_NOREPLACE)` that of `linkat`; only then
//! can a kill -9 leave something behind, a file named `.NAME.….new`.

mod place;

use std::fs::File;
use std::path::Path;

use ipc_common::{Errno, Error, Result};
use nix::fcntl::posix_fallocate;

use super::{Access, open_file};
use place::Place;

/// Whether [`open_or_create`] made the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It was not there; now it is.
    Created,
    /// It was there, and is as it was.
    Existing,
}

/// Creates a file of `len` bytes, all of them allocated, that `fill` completes before anybody can
/// see it. It is open for reading and writing.
///
/// `mode` is subject to the umask, as in open(2); 0o600 is a good one.
///
/// # Errors
///
/// `EEXIST` if the name is taken (a symbolic link takes it, too, wherever it leads); `ENOSPC` if
/// there is no room for `len` bytes; `EFBIG` if that is beyond `ulimit -f`, and SIGXFSZ before it,
/// which kills unless it is ignored; `EISDIR` for a path that names a folder; those of open(2) and
/// linkat(2); and those of `fill`. Then nothing has been created.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("mmap-create-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// # let path = folder.join("file");
/// let file = mmap_file::create_new(&path, 4096, 0o600, |_| Ok(()))?;
/// assert_eq!(file.metadata()?.len(), 4096);
/// let twice = mmap_file::create_new(&path, 4096, 0o600, |_| Ok(()));
/// assert_eq!(twice.unwrap_err().errno(), ipc_common::Errno::EEXIST);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn create_new(
    path: impl AsRef<Path>,
    len: u64,
    mode: u32,
    fill: impl Fn(&File) -> Result<()>,
) -> Result<File> {
    let place = Place::of(path.as_ref())?;
    let complete = |file: &File| {
        allocate(file, len).map_err(|errno| place.error("posix_fallocate", errno))?;
        fill(file)
    };
    match place.unnamed(mode, &complete)? {
        Some(file) => Ok(file),
        None => place.hidden(mode, &complete),
    }
}

/// Opens the file for reading and writing, or creates it as [`create_new`] does.
///
/// # Errors
///
/// Those of [`open_file`] and [`create_new`], without `ENOENT` and `EEXIST` for the file itself.
pub fn open_or_create(
    path: impl AsRef<Path>,
    len: u64,
    mode: u32,
    fill: impl Fn(&File) -> Result<()>,
) -> Result<(File, Found)> {
    let path = path.as_ref();
    // Others may create it and remove it again while we look; but hardly this often.
    const ROUNDS: usize = 100;
    for _ in 0..ROUNDS {
        match open_file(path, Access::ReadWrite) {
            Err(error) if error.errno() == Errno::ENOENT => {}
            other => return other.map(|file| (file, Found::Existing)),
        }
        match create_new(path, len, mode, &fill) {
            Err(error) if error.errno() == Errno::EEXIST => {}
            other => return other.map(|file| (file, Found::Created)),
        }
    }
    Err(Error::refused("open", Errno::EAGAIN, path.display().to_string())
        .with_remedy("the file is created and removed again all the time; find out by whom"))
}

fn allocate(file: &File, len: u64) -> std::result::Result<(), Errno> {
    posix_fallocate(file, 0, len.try_into().map_err(|_| Errno::EFBIG)?)
}
