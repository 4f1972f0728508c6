//! The folder of a run, in the folder for temporary files.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ipc_common::{Error, Result};
use nix::fcntl::{Flock, FlockArg};

use crate::random::Seed;
use crate::sandbox::files;

/// What their names begin with.
const PREFIX: &str = "ipc-course-run-";

/// The folder of a run, removed when this is dropped, if the warden has not done so. It is locked as
/// long as its supervisor lives, so that others can tell what nobody cares for any more.
#[derive(Debug)]
pub(crate) struct RunFolder {
    pub(crate) path: PathBuf,
    _lock: Flock<File>,
}

impl RunFolder {
    pub(crate) fn make() -> Result<RunFolder> {
        let name = format!("{PREFIX}{}-{}", std::process::id(), Seed::fresh()?);
        let path = std::env::temp_dir().join(name);
        let failed = |error| Error::from_io("mkdir", &error, path.display().to_string());
        DirBuilder::new().mode(0o700).create(&path).map_err(failed)?;
        // The run's user passes through, and lists nothing.
        fs::set_permissions(&path, Permissions::from_mode(0o711)).map_err(failed)?;
        let path = fs::canonicalize(&path).map_err(failed)?;
        let lock = lock(&path).map_err(failed)?;
        Ok(RunFolder { path, _lock: lock })
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if self.path.exists() {
            let _ = files::remove_tree(&self.path);
        }
    }
}

fn lock(path: &Path) -> io::Result<Flock<File>> {
    let folder = File::open(path)?;
    Flock::lock(folder, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| errno.into())
}

/// Removes folders of ours that have lost their supervisor.
pub(super) fn remove_stale() {
    let me = nix::unistd::geteuid().as_raw();
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir() && found.uid() == me);
        if !ours {
            continue;
        }
        // One that was made this very moment is not locked yet, but it is empty.
        if let Ok(_lock) = lock(&path)
            && fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some())
        {
            let _ = files::remove_tree(&path);
        }
    }
}
