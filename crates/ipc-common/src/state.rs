//! Where a user's own keys and notes live: the state folder of the XDG base directories.
//!
//! Not `/tmp`, where users meet each other's files under fixed names; and not the runtime folder,
//! which is emptied at logout: a note is to survive a reboot.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{User, geteuid};

use crate::error::{Error, Result};

/// The name of the course's folder below the state folder.
const COURSE: &str = "ipc-course";

/// The caller's own folder for the course, created with mode 0700 if it is not there:
/// `$XDG_STATE_HOME/ipc-course`, else `~/.local/state/ipc-course`.
///
/// Under `sudo` with somebody else's `HOME`, root's own home is used: a folder that root made in
/// the user's home would shut the user out later.
///
/// # Errors
///
/// Those of mkdir(2), `EACCES` and `ENOENT` above all, when there is no home to write to; `EACCES`
/// also if the folder is there and belongs to another user.
pub fn folder() -> Result<PathBuf> {
    let folder = base()?.join(COURSE);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| Error::from_io("mkdir", &error, folder.display().to_string()))?;
    // It may have been there before us: somebody else's, who then chooses what we write to.
    if !is_ours(&folder) {
        return Err(Error::refused("mkdir", Errno::EACCES, folder.display().to_string())
            .with_remedy(
                "this folder belongs to somebody else; set XDG_STATE_HOME to a folder of your own",
            ));
    }
    Ok(folder)
}

fn base() -> Result<PathBuf> {
    // The XDG specification: a relative path there is to be ignored.
    let named = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    match named {
        Some(path) => Ok(path),
        None => Ok(home()?.join(".local/state")),
    }
}

fn home() -> Result<PathBuf> {
    let named = env::var_os("HOME").map(PathBuf::from);
    if let Some(home) = named.filter(|home| is_ours(home)) {
        return Ok(home);
    }
    let unknown = || {
        Error::from_io("getpwuid", &io::Error::from_raw_os_error(libc::ENOENT), format!("user {}", geteuid()))
            .with_remedy("this user has no home folder of its own; set XDG_STATE_HOME to a folder to keep notes in")
    };
    User::from_uid(geteuid()).ok().flatten().map(|user| user.dir).ok_or_else(unknown)
}

fn is_ours(folder: &Path) -> bool {
    folder.is_absolute()
        && fs::metadata(folder).is_ok_and(|found| found.uid() == geteuid().as_raw())
}
