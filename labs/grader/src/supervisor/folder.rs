//! The folder of a run, in the folder for temporary files.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ipc_common::{Error, Result};
use nix::fcntl::{Flock, FlockArg};

use crate::random::Seed;
use crate::sandbox::files;

/// What their names begin with.
const PREFIX: &str = "ipc-course-run-";

/// How long it takes at most from making a folder to locking it, on a machine that is busy.
const NEW: Duration = Duration::from_secs(60 * 60);

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
        let lock = lock_patiently(&path).map_err(failed)?;
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

/// Another supervisor that looks for folders like this one may have the lock, for a moment.
fn lock_patiently(path: &Path) -> io::Result<Flock<File>> {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match lock(path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(1));
            }
            done => return done,
        }
    }
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
        // One that was made this very moment is not locked yet, but it is empty, and new.
        let is_old = || {
            let changed = fs::metadata(&path).and_then(|found| found.modified());
            changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > NEW))
        };
        let is_used = || fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some());
        if let Ok(_lock) = lock(&path)
            && (is_used() || is_old())
        {
            let _ = files::remove_tree(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn who_looks_for_stale_folders_is_in_nobodys_way() {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        remove_stale();
                    }
                });
            }
            let made: Vec<Result<RunFolder>> = (0..500).map(|_| RunFolder::make()).collect();
            over.store(true, Ordering::Relaxed);
            for folder in made {
                assert!(folder.unwrap().path.exists());
            }
        });
    }

    #[test]
    fn an_empty_folder_goes_when_it_is_old() {
        let make = |name: &str| {
            let path =
                std::env::temp_dir().join(format!("{PREFIX}{name}-{}", Seed::fresh().unwrap()));
            fs::create_dir(&path).unwrap();
            path
        };
        let (old, new) = (make("old"), make("new"));
        let then = SystemTime::now() - 2 * NEW;
        File::open(&old).unwrap().set_modified(then).unwrap();
        remove_stale();
        assert!(!old.exists() && new.exists());
        fs::remove_dir(new).unwrap();
    }
}
