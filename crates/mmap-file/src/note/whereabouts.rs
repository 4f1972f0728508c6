//! Is the file at a path still the one that is open? A mapping follows the file, not the name: a
//! file that was renamed over, or removed, stays mapped, and nobody else ever writes it again.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ipc_common::{Error, Result};

use crate::sys;

/// What a path leads to now, compared with a file that was opened by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// To the same file.
    Here,
    /// To another file: ours was replaced, by `mv` or by an editor that saves that way.
    Replaced,
    /// To nothing: ours was removed or renamed.
    Removed,
}

/// Compares device and inode. The comparison is made between files that both exist at that
/// moment, so a number that is used again cannot deceive it.
///
/// # Errors
///
/// Those of stat(2), but `ENOENT`: `EACCES` if a folder on the way is closed, above all.
pub fn whereabouts(file: &File, path: &Path) -> Result<Whereabouts> {
    let ours = file.metadata().map_err(|e| Error::from_io("fstat", &e, sys::name_of(file)))?;
    match std::fs::metadata(path) {
        Ok(theirs) if (theirs.dev(), theirs.ino()) == (ours.dev(), ours.ino()) => {
            Ok(Whereabouts::Here)
        }
        Ok(_) => Ok(Whereabouts::Replaced),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Whereabouts::Removed),
        Err(error) => Err(Error::from_io("open", &error, path.display().to_string())),
    }
}
