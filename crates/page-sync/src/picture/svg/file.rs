//! A picture saved: whole or not at all, and never over something else by accident.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use ipc_common::{Errno, Error, Result};

use crate::durable;
use crate::picture::Subject;

/// What open(2) is given for a file that anyone may look at; the umask takes from it.
const MODE: u32 = 0o666;

/// Saves `svg` at `path`, complete before it has its name. If something is there already it is left
/// alone, unless `replace` says otherwise: then the new file takes its name in one step, as
/// [`durable::replace`] does, and whoever has the old one open keeps it.
///
/// # Errors
///
/// `EEXIST` if something is there; `EINVAL` if that is the very file that is looked at, which is not
/// replaced in any case; those of [`mmap_file::create_new`] and [`durable::replace`], `ELOOP` for a
/// symbolic link and `EISDIR` for a folder among them. Then nothing is left behind.
pub fn save(subject: &Subject, svg: &str, path: &Path, replace: bool) -> Result<()> {
    if !replace {
        return create(path, svg.as_bytes());
    }
    let there = fs::symlink_metadata(path).ok().map(|there| (there.dev(), there.ino()));
    let looked_at = subject.file().metadata().ok().map(|ours| (ours.dev(), ours.ino()));
    if there.is_some() && there == looked_at {
        return Err(Error::refused("rename", Errno::EINVAL, path.display().to_string())
            .with_remedy(
                "this is the file that the picture is of; choose another name for the picture",
            ));
    }
    let _ = durable::replace(path, MODE, svg.as_bytes()).map_err(Error::from)?;
    Ok(())
}

fn create(path: &Path, svg: &[u8]) -> Result<()> {
    let fill = |file: &File| {
        let failed = |error| Error::from_io("write", &error, path.display().to_string());
        file.write_all_at(svg, 0).map_err(failed)
    };
    match mmap_file::create_new(path, svg.len() as u64, MODE, fill) {
        Ok(_) => Ok(()),
        Err(error) if error.errno() == Errno::EEXIST => Err(error.with_remedy(
            "something is there already, and is left as it is; choose another name, or say --force \
             to replace it",
        )),
        Err(error) => Err(error),
    }
}
