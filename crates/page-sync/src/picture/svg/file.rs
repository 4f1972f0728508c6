//! A picture saved: whole or not at all, and never over something else by accident.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, Result};

use crate::picture::Subject;

/// Saves `svg` at `path`. If something is there already it is left alone, unless `replace` says
/// otherwise; then the new file takes its name in one step, and whoever has the old one open keeps
/// it.
///
/// # Errors
///
/// `EEXIST` if something is there; `EINVAL` if that is the very file that is looked at, which is not
/// replaced in any case; `EISDIR` for a folder; those of open(2), write(2) and rename(2). Then
/// nothing is left behind.
pub fn save(subject: &Subject, svg: &str, path: &Path, replace: bool) -> Result<()> {
    let about = || path.display().to_string();
    if !replace {
        return write_new(path, svg).map_err(|error| match error.errno() {
            Errno::EEXIST => error.with_remedy(
                "something is there already, and is left as it is; choose another name, or say \
                 --force to replace it",
            ),
            _ => error,
        });
    }
    if let Ok(there) = fs::metadata(path) {
        if there.is_dir() {
            return Err(Error::refused("open", Errno::EISDIR, about()));
        }
        let looked_at = subject.file().metadata();
        if looked_at.is_ok_and(|ours| (ours.dev(), ours.ino()) == (there.dev(), there.ino())) {
            return Err(Error::refused("rename", Errno::EINVAL, about()).with_remedy(
                "this is the file that the picture is of; choose another name for the picture",
            ));
        }
    }
    let hidden = hidden_beside(path);
    write_new(&hidden, svg)?;
    fs::rename(&hidden, path).map_err(|error| {
        let _ = fs::remove_file(&hidden);
        Error::from_io("rename", &error, about())
    })
}

/// `O_EXCL`: a symbolic link is not followed either.
fn write_new(path: &Path, svg: &str) -> Result<()> {
    let failed = |call| move |error| Error::from_io(call, &error, path.display().to_string());
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(path).map_err(failed("open"))?;
    let written = file.write_all(svg.as_bytes()).map_err(failed("write"));
    if written.is_err() && is_ours(&file, path) {
        let _ = fs::remove_file(path);
    }
    written
}

fn is_ours(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// In the same folder, so that a rename is possible.
fn hidden_beside(path: &Path) -> PathBuf {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let unique = now.map_or(0, |now| now.as_nanos());
    path.with_file_name(format!(".page-sync.{}.{unique}.new", std::process::id()))
}
