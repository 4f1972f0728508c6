//! Where compiled dependencies, and locks, are kept between runs.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, Result};

use super::Course;
use crate::build::others_can_reach;
use crate::sandbox::Mode;

/// In cargo's target folder. But the run's user has to reach it in mode run-uid; a course in a home
/// folder is out of his reach, and the cache is then in the folder for temporary files.
pub(super) fn folder(course: &Course, mode: Mode) -> Result<PathBuf> {
    let near = course.target().join("lab-cache");
    let failed = |error| Error::from_io("mkdir", &error, near.display().to_string());
    fs::create_dir_all(&near).map_err(failed)?;
    if mode != Mode::RunUid || others_can_reach(&near) {
        return fs::canonicalize(&near).map_err(failed);
    }
    let path = std::env::temp_dir().join(format!("ipc-course-lab-{}", nix::unistd::geteuid()));
    own(&path, 0o755, "set TMPDIR to another folder")
}

/// A folder of ours among those of others: somebody else's of that name is not used; what to do about
/// it says `remedy`.
pub(super) fn own(path: &Path, mode: u32, remedy: &str) -> Result<PathBuf> {
    let failed = |error| Error::from_io("mkdir", &error, path.display().to_string());
    match fs::DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        made => made.map_err(failed)?,
    }
    let found = fs::symlink_metadata(path).map_err(failed)?;
    if !found.is_dir()
        || found.uid() != nix::unistd::geteuid().as_raw()
        || found.mode() & 0o022 != 0
    {
        return Err(Error::refused("mkdir", Errno::EEXIST, path.display().to_string())
            .with_remedy(format!("it is somebody else's, or others may write to it: {remedy}")));
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(failed)?;
    Ok(path.to_owned())
}
