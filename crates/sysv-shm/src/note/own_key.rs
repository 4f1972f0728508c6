//! A key of one's own: the same from any folder, another one for each user.
//!
//! The lecture's `ftok("shmdemo.c", 'R')` depends on the folder the program is started in, and two
//! students who share a folder share the segment.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use ipc_common::key::{FtokKey, ftok};
use ipc_common::{Errno, Error, Project, Result, state};

/// Where the file lies that stands behind the caller's key, and the key that `ftok` makes of it.
/// The file is created if it is missing, empty, with mode 0600: only its inode counts.
///
/// Two users' files have different inodes, but only 16 bits of them reach the key, so two keys can
/// still be equal. Hence [`crate::note::NoteWriter`] looks at the owner.
///
/// # Errors
///
/// Those of [`state::folder`] and open(2).
pub fn own_key(project: Project) -> Result<(PathBuf, FtokKey)> {
    let path = state::folder()?.join("sysv-shm.key");
    let failed = |error| Error::from_io("open", &error, path.display().to_string());
    // Through no link, and not waiting for a FIFO's other end: what stands there may be no file
    // of ours.
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(&path)
        .map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(Error::refused("open", Errno::ENXIO, path.display().to_string())
            .with_remedy("this is no regular file; remove it, and it is created anew"));
    }
    let key = ftok(&path, project)?;
    Ok((path, key))
}
