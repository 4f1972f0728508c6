//! A folder that is held open, so that nobody can swap it meanwhile, and a name in it.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ipc_common::{Errno, Error, Result};
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::fsync;

pub(super) struct Place<'a> {
    pub path: &'a Path,
    pub folder: OwnedFd,
    pub name: &'a OsStr,
}

impl<'a> Place<'a> {
    pub fn of(path: &'a Path) -> Result<Place<'a>> {
        let error = |errno| Error::new("open", errno, path.display().to_string());
        let name = match path.file_name() {
            Some(name) if !path.as_os_str().as_bytes().ends_with(b"/") => name,
            _ if path.as_os_str().is_empty() => return Err(error(Errno::ENOENT)),
            _ => return Err(error(Errno::EISDIR)),
        };
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // For reading, though nothing is read: fsync(2) does not take an O_PATH descriptor.
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let folder = open(parent, flags, Mode::empty()).map_err(|errno| {
            let error = Error::new("open", errno, parent.display().to_string());
            match errno {
                Errno::EACCES => error.with_remedy(
                    "the folder has to be readable, for only then can it be synced; ask for its \
                     mode to be widened, or use one of your own",
                ),
                Errno::ENOENT => error.with_remedy("there is no such folder; create it first"),
                _ => error,
            }
        })?;
        Ok(Place { path, folder, name })
    }

    /// Waits until the folder's names are on the disk.
    pub fn sync(&self) -> Result<()> {
        fsync(&self.folder).map_err(|errno| {
            Error::new("fsync", errno, format!("the folder of {}", self.path.display()))
        })
    }

    pub fn error(&self, call: &'static str, errno: Errno) -> Error {
        Error::new(call, errno, self.path.display().to_string())
    }
}
