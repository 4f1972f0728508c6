//! The file that is looked at: opened once, without touching a page of it.

mod process;

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, PageSize, Result};
use mmap_file::maps::{self, Listed};
use mmap_file::{Access, MapOptions, Protection, open_file};

use crate::inspect::{Answer, Reason};

pub use process::Process;

/// An open file to be looked at.
///
/// Looking changes nothing: it is mapped without any protection, so that the kernel lists it, and
/// not a byte of it is read.
#[derive(Debug)]
pub struct Subject {
    path: PathBuf,
    file: File,
    /// As the kernel lists it in /proc/PID/maps. On btrfs and overlayfs device and inode are others
    /// there than those that stat(2) gives.
    listed: Answer<Key>,
}

/// What a file is known by in /proc/PID/maps.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key(Listed);

/// What has become of a file under its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// It is still the file that the path leads to.
    There,
    /// The path leads to another file now.
    Replaced,
    /// The path leads nowhere, though the file has other names.
    Moved,
    /// It has no name any more, and is gone when the last process closes and unmaps it.
    Unlinked,
    /// It cannot be told: a folder on the way may not be looked into.
    Unknown(Errno),
}

impl Subject {
    /// Opens a file for looking. A FIFO is not waited for, and nothing is read.
    ///
    /// # Errors
    ///
    /// Those of [`open_file`]: `ENOENT`, `EACCES`; `EISDIR` for a folder, `ENODEV` for what else is
    /// not a regular file.
    pub fn open(path: impl AsRef<Path>) -> Result<Subject> {
        let path = path.as_ref();
        Ok(Subject::of(open_file(path, Access::Read)?, path))
    }

    /// The same of a file that is open already, at least for reading.
    pub fn of(file: File, path: impl Into<PathBuf>) -> Subject {
        let listed = listed(&file);
        Subject { path: path.into(), file, listed }
    }

    /// What it was called when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Its length now, in bytes.
    ///
    /// # Errors
    ///
    /// Those of fstat(2): `EIO`, or `ESTALE` if a server has forgotten it.
    pub fn bytes(&self) -> Result<u64> {
        let found = self.file.metadata();
        found.map(|found| found.len()).map_err(|error| self.error("fstat", &error))
    }

    /// How many pages that are. What is left of the last one counts whole.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](Subject::bytes).
    pub fn pages(&self) -> Result<u64> {
        Ok(self.bytes()?.div_ceil(PageSize::system().bytes() as u64))
    }

    /// What has become of it under its path since.
    pub fn whereabouts(&self) -> Whereabouts {
        let unknown = |error: std::io::Error| {
            Whereabouts::Unknown(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
        };
        let ours = match self.file.metadata() {
            Ok(found) if found.nlink() == 0 => return Whereabouts::Unlinked,
            Ok(found) => found,
            Err(error) => return unknown(error),
        };
        match fs::metadata(&self.path) {
            Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => {
                Whereabouts::There
            }
            Ok(_) => Whereabouts::Replaced,
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Whereabouts::Moved,
            Err(error) => unknown(error),
        }
    }

    /// The processes that map it, and how many there are that may not be looked into. This one is
    /// among them if it maps the file.
    pub fn mapped_by(&self) -> Answer<(Vec<u32>, usize)> {
        let failed = |error: Error| Reason::Failed { call: error.call(), errno: error.errno() };
        self.listed.as_ref().and_then(|Key(listed)| {
            let (mut found, closed) = match maps::who_maps(listed) {
                Ok(found) => found,
                Err(error) => return Answer::Unknown(failed(error)),
            };
            let this = std::process::id();
            let ours = maps::of(this).unwrap_or_default();
            if ours.iter().any(|mapping| mapping.same_file(listed)) {
                found.push(this);
            }
            Answer::Known((found, closed))
        })
    }

    /// What one process sees of the file's first `pages` pages.
    ///
    /// # Errors
    ///
    /// `ESRCH` if there is no such process. That one may not look into it is an unknown answer.
    pub fn process(&self, pid: u32, pages: u64) -> Result<Process> {
        process::look(self.listed.as_ref().map(|Key(listed)| listed), pid, pages)
    }

    fn error(&self, call: &'static str, error: &std::io::Error) -> Error {
        Error::from_io(call, error, self.path.display().to_string())
    }
}

/// Maps one page of it, has the kernel list that, and lets it go.
fn listed(file: impl AsFd) -> Answer<Key> {
    let page = PageSize::system().bytes();
    let options = MapOptions::new().protection(Protection::None).len(page);
    let probe = match options.allow_past_end().unguarded().map(file) {
        Ok(probe) => probe,
        Err(error) => return Answer::Unknown(Reason::NotMappable(error.errno())),
    };
    match maps::listing_of(&probe) {
        Ok(listed) => Answer::Known(Key(listed)),
        Err(error) => Answer::Unknown(Reason::Failed { call: error.call(), errno: error.errno() }),
    }
}
