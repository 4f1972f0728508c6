//! A file, as the kernel shows it. Read by `pread`, never mapped: a mapping dies when the student's
//! program cuts the file shorter.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, Result};

use crate::check::Stop;
use crate::sandbox::Identity;

/// What is at a path. A link that the student's program put there is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStat {
    /// Whether it is a regular file.
    pub is_file: bool,
    /// Its length in bytes.
    pub len: u64,
    /// The permission bits: `0o600`.
    pub mode: u32,
    /// Its inode: another one if it was replaced.
    pub inode: u64,
    /// How many names it has.
    pub links: u64,
    /// The owner's user id.
    pub owner: u32,
}

/// What is at a path; `None` if nothing is.
///
/// # Errors
///
/// Those of lstat(2) but ENOENT.
pub fn stat(path: &Path) -> Result<Option<FileStat>> {
    match std::fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(FileStat {
            is_file: found.is_file(),
            len: found.len(),
            mode: found.mode() & 0o7777,
            inode: found.ino(),
            links: found.nlink(),
            owner: found.uid(),
        })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::from_io("lstat", &error, path.display().to_string())),
    }
}

/// A file held open, so that it can be looked at after it was replaced or unlinked.
#[derive(Debug)]
pub struct Opened {
    file: File,
    path: PathBuf,
    identity: Identity,
}

impl Opened {
    /// Opens the regular file at a path; `None` if nothing is there.
    ///
    /// # Errors
    ///
    /// Those of open(2); `ELOOP` for a link, `EINVAL` for a FIFO and its like.
    pub fn at(path: &Path, identity: Identity) -> Result<Option<Opened>> {
        let about = || path.display().to_string();
        let open = |write: bool| {
            OpenOptions::new()
                .read(true)
                .write(write)
                .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
                .open(path)
                .map_err(|error| Error::from_io("open", &error, about()))
        };
        let file = match identity.does(|| open(true).or_else(|_| open(false))) {
            Ok(file) => file,
            Err(error) if error.errno() == Errno::ENOENT => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = file.metadata().map_err(|error| Error::from_io("fstat", &error, about()))?;
        if !found.is_file() {
            return Err(Error::refused("open", Errno::EINVAL, about()));
        }
        Ok(Some(Opened { file, path: path.into(), identity }))
    }

    /// Its length in bytes.
    ///
    /// # Errors
    ///
    /// Those of fstat(2).
    pub fn len(&self) -> Result<u64> {
        self.file.metadata().map(|found| found.len()).map_err(|error| self.error("fstat", &error))
    }

    /// Whether it holds nothing.
    ///
    /// # Errors
    ///
    /// Those of fstat(2).
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Its inode.
    ///
    /// # Errors
    ///
    /// Those of fstat(2).
    pub fn inode(&self) -> Result<u64> {
        self.file.metadata().map(|found| found.ino()).map_err(|error| self.error("fstat", &error))
    }

    /// `len` bytes from `offset` on; fewer if the file ends before.
    ///
    /// # Errors
    ///
    /// Those of pread(2).
    pub fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let mut done = 0;
        while done < len {
            match self.file.read_at(&mut bytes[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error("pread", &error)),
            }
        }
        bytes.truncate(done);
        Ok(bytes)
    }

    /// The 32-bit word at an offset, in this machine's byte order; `None` past the end.
    ///
    /// # Errors
    ///
    /// Those of pread(2).
    pub fn word(&self, offset: u64) -> Result<Option<u32>> {
        Ok(self.read(offset, 4)?.try_into().ok().map(u32::from_ne_bytes))
    }

    /// Writes bytes, as a stranger would.
    ///
    /// # Errors
    ///
    /// Those of pwrite(2).
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let write =
            || self.file.write_all_at(bytes, offset).map_err(|error| self.error("pwrite", &error));
        self.identity.does(write)
    }

    /// Makes it longer or shorter, as a stranger would.
    ///
    /// # Errors
    ///
    /// Those of ftruncate(2).
    pub fn set_len(&self, len: u64) -> Result<()> {
        self.identity
            .does(|| self.file.set_len(len).map_err(|error| self.error("ftruncate", &error)))
    }

    fn error(&self, call: &'static str, error: &std::io::Error) -> Error {
        Error::from_io(call, error, self.path.display().to_string())
    }
}

/// Everything below a folder, links not followed, sorted: what a program left there.
///
/// # Errors
///
/// [`Stop::Failed`] if the program has closed a folder, or removes one at this very moment;
/// [`Stop::Grader`] for other errors of readdir(3).
pub fn below(folder: &Path) -> std::result::Result<Vec<PathBuf>, Stop> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let failed = |error| match Error::from_io("readdir", &error, next.display().to_string()) {
            error if matches!(error.errno(), Errno::EACCES | Errno::ENOENT | Errno::ENOTDIR) => {
                Stop::failed("a folder that can be looked at", error.to_string())
            }
            error => error.into(),
        };
        for entry in std::fs::read_dir(&next).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    Ok(found)
}
