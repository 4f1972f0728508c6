//! Where things lie in a cell: below a root of its own in mode full, else below the run's folder.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use ipc_common::{Error, Result};

use super::Job;
use crate::build::Tools;
use crate::sandbox::{Identity, Mode, files, root};

/// Where things lie.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The submission's sources, and the driver's. Ours.
    pub(crate) sources: PathBuf,
    /// What the compiler may write. The student's user's.
    pub(crate) build: PathBuf,
    /// A folder a check, below here.
    pub(crate) scratch: PathBuf,
    /// The finished driver. Ours.
    pub(crate) driver: PathBuf,
    /// rustc and its libraries.
    pub(crate) toolchain: PathBuf,
    /// The compiled dependencies.
    pub(crate) dependencies: PathBuf,
}

impl Places {
    /// Makes the places, and enters the new root in mode full.
    pub(super) fn make(job: &Job, identity: Identity, tools: Option<&Tools>) -> Result<Places> {
        let nowhere = PathBuf::new;
        let real = |pick: fn(&Tools) -> &PathBuf| tools.map_or_else(nowhere, |t| pick(t).clone());
        let (toolchain, dependencies) = (real(|t| &t.toolchain), real(|t| &t.dependencies));
        if job.mode == Mode::Full {
            let below_root =
                Places::below(Path::new("/"), "/toolchain".into(), "/dependencies".into());
            let more = tools.map_or_else(Vec::new, |_| {
                let to = [below_root.toolchain.clone(), below_root.dependencies.clone()];
                [toolchain, dependencies].into_iter().zip(to).collect()
            });
            let empty: [(&Path, &str); 2] =
                [(&below_root.build, root::BUILD), (&below_root.scratch, root::SCRATCH)];
            root::enter(&more, &empty)?;
            make_folder(&below_root.sources, 0o755)?;
            give(&below_root.build, identity)?;
            return Ok(below_root);
        }
        let Some(folder) = &job.folder else {
            return Err(Error::refused(
                "mkdir",
                ipc_common::Errno::EINVAL,
                "a run without a folder",
            ));
        };
        let places = Places::below(folder, toolchain, dependencies);
        for (path, mode) in
            [(&places.sources, 0o755), (&places.build, 0o700), (&places.scratch, 0o711)]
        {
            make_folder(path, mode)?;
        }
        give(&places.build, identity)?;
        Ok(places)
    }

    fn below(base: &Path, toolchain: PathBuf, dependencies: PathBuf) -> Places {
        Places {
            sources: base.join("submission"),
            build: base.join("build"),
            scratch: base.join("scratch"),
            driver: base.join("driver"),
            toolchain,
            dependencies,
        }
    }

    /// A folder for one check, the student's user's.
    pub(super) fn for_a_check(&self, name: &str, identity: Identity) -> Result<PathBuf> {
        let folder = self.scratch.join(name);
        make_folder(&folder, 0o700)?;
        give(&folder, identity)?;
        Ok(folder)
    }
}

/// A folder with exactly this mode, whatever the umask.
fn make_folder(path: &Path, mode: u32) -> Result<()> {
    let made = DirBuilder::new().mode(0o700).create(path);
    made.and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(|error| Error::from_io("mkdir", &error, path.display().to_string()))
}

/// Hands a path over to the student's user.
pub(super) fn give(path: &Path, identity: Identity) -> Result<()> {
    let Identity::Run(id) = identity else { return Ok(()) };
    chown(path, Some(id), Some(id))
        .map_err(|error| Error::from_io("chown", &error, path.display().to_string()))
}

/// Removes a folder of the student's; what resists, in words.
pub(super) fn remove(path: &Path) -> Option<String> {
    files::remove_tree(path).err().map(|error| format!("folder {}: {error}", path.display()))
}

/// Empties a folder of the student's, which may be a file system of its own.
pub(super) fn empty(path: &Path) -> Result<()> {
    files::empty(path).map_err(|error| Error::from_io("rmdir", &error, path.display().to_string()))
}
