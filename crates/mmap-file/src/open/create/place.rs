//! A name that is still to be taken, and the two ways to take it with a file that is complete.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ipc_common::{Errno, Error, Result};
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, RenameFlags, open, openat, renameat2};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

/// A folder that is held open, so that it cannot be swapped meanwhile, and a name in it.
pub(super) struct Place<'a> {
    path: &'a Path,
    folder: OwnedFd,
    name: &'a OsStr,
}

impl<'a> Place<'a> {
    pub(super) fn of(path: &'a Path) -> Result<Place<'a>> {
        let error = |errno| Error::new("open", errno, path.display().to_string());
        let name = match path.file_name() {
            Some(name) if !path.as_os_str().as_bytes().ends_with(b"/") => name,
            _ if path.as_os_str().is_empty() => return Err(error(Errno::ENOENT)),
            _ => return Err(error(Errno::EISDIR)),
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let folder = open(folder, flags, Mode::empty()).map_err(error)?;
        Ok(Place { path, folder, name })
    }

    pub(super) fn error(&self, call: &'static str, errno: Errno) -> Error {
        Error::new(call, errno, self.path.display().to_string())
    }

    /// By O_TMPFILE. `None` if this file system has none, or /proc is not there to name it by.
    pub(super) fn unnamed(
        &self,
        mode: u32,
        complete: &dyn Fn(&File) -> Result<()>,
    ) -> Result<Option<File>> {
        let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        let file = match openat(&self.folder, ".", flags, Mode::from_bits_truncate(mode)) {
            Ok(file) => File::from(file),
            // EISDIR: the kernel before 3.11 and some file systems see only the folder.
            Err(Errno::EOPNOTSUPP | Errno::EISDIR | Errno::ENOENT | Errno::EINVAL) => {
                return Ok(None);
            }
            Err(errno) => return Err(self.error("open", errno)),
        };
        complete(&file)?;
        // AT_EMPTY_PATH would need a privilege; the way through /proc needs none (open(2)).
        let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
        let follow = AtFlags::AT_SYMLINK_FOLLOW;
        match linkat(AT_FDCWD, unnamed.as_str(), &self.folder, self.name, follow) {
            Ok(()) => Ok(Some(file)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(self.error("linkat", errno)),
        }
    }

    /// By a hidden name.
    pub(super) fn hidden(&self, mode: u32, complete: &dyn Fn(&File) -> Result<()>) -> Result<File> {
        let (file, hidden) = loop {
            let name = hidden_name(self.name);
            let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDWR | OFlag::O_CLOEXEC;
            match openat(&self.folder, name.as_os_str(), flags, Mode::from_bits_truncate(mode)) {
                Ok(file) => break (File::from(file), Hidden { folder: self.folder.as_fd(), name }),
                Err(Errno::EEXIST) => {}
                Err(errno) => return Err(self.error("open", errno)),
            }
        };
        complete(&file)?;
        let named = match renameat2(
            &self.folder,
            hidden.name.as_os_str(),
            &self.folder,
            self.name,
            RenameFlags::RENAME_NOREPLACE,
        ) {
            // Not every file system knows RENAME_NOREPLACE; a second name never replaces either.
            Err(Errno::EINVAL | Errno::ENOSYS) => {
                let (from, to) = (hidden.name.as_os_str(), self.name);
                linkat(&self.folder, from, &self.folder, to, AtFlags::empty())
            }
            other => other,
        };
        named.map_err(|errno| self.error("linkat", errno))?;
        Ok(file)
    }
}

/// `.NAME.<pid>.<nanoseconds>.new`, cut so that it is no longer than a name may be.
fn hidden_name(name: &OsStr) -> OsString {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let unique = format!(".{}.{}.new", std::process::id(), now.map_or(0, |now| now.as_nanos()));
    let mut hidden = OsString::from(".");
    let room = 255 - 1 - unique.len();
    hidden.push(OsStr::from_bytes(&name.as_bytes()[..name.len().min(room)]));
    hidden.push(unique);
    hidden
}

/// The hidden name, removed when dropped; after a rename it is gone already.
struct Hidden<'a> {
    folder: BorrowedFd<'a>,
    name: OsString,
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = unlinkat(self.folder, self.name.as_os_str(), UnlinkatFlags::NoRemoveDir);
    }
}

#[cfg(test)]
mod tests {
    use super::super::allocate;
    use super::*;
    use std::fs;

    /// Both ways have to keep the same promises, whatever this machine's file system chooses.
    fn both_ways(
        test: impl Fn(&Place<'_>, &dyn Fn(&Place<'_>, &dyn Fn(&File) -> Result<()>) -> Result<File>),
    ) {
        for way in 0..2 {
            let folder = testkit::folder();
            let path = folder.file("new");
            let place = Place::of(&path).unwrap();
            test(&place, &|place, complete| match way {
                0 => place.unnamed(0o600, complete).map(|file| file.expect("O_TMPFILE")),
                _ => place.hidden(0o600, complete),
            });
            let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
            assert!(left.iter().all(|entry| entry.file_name() == "new"), "{left:?}");
        }
    }

    #[test]
    fn the_name_appears_only_when_the_file_is_complete() {
        both_ways(|place, create| {
            let complete = |file: &File| {
                assert!(!place.path.exists(), "visible before it is complete");
                allocate(file, 100).map_err(|errno| place.error("posix_fallocate", errno))
            };
            create(place, &complete).unwrap();
            assert_eq!(fs::metadata(place.path).unwrap().len(), 100);
        });
    }

    #[test]
    fn a_name_that_is_taken_stays_what_it_was() {
        both_ways(|place, create| {
            fs::write(place.path, "mine").unwrap();
            assert_eq!(create(place, &|_| Ok(())).unwrap_err().errno(), Errno::EEXIST);
            assert_eq!(fs::read(place.path).unwrap(), b"mine");
        });
    }

    #[test]
    fn a_failure_on_the_way_leaves_nothing() {
        both_ways(|place, create| {
            let full = |_: &File| Err(Error::new("posix_fallocate", Errno::ENOSPC, ""));
            assert_eq!(create(place, &full).unwrap_err().errno(), Errno::ENOSPC);
            assert!(!place.path.exists());
        });
    }

    #[test]
    fn hidden_names_are_no_longer_than_a_name_may_be() {
        let long = "x".repeat(255);
        assert!(hidden_name(OsStr::new(&long)).len() <= 255);
    }
}
