//! Users for runs, where we are root: one a run, or one run could kill the other's programs.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, Result};
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::{AccessFlags, Uid, User, access};

use super::cache;
use crate::evidence::census;
use crate::sandbox::sweep;

/// Numbers that no distribution gives to anybody: above those of systemd-homed, below those of
/// systemd's dynamic users, and below 65536, where many containers end.
const NUMBERS: std::ops::Range<u32> = 60_600..61_100;

/// Whether a user is one of those that runs get.
pub fn is_of_a_run_user(id: u32) -> bool {
    NUMBERS.contains(&id)
}

/// A user's number, ours as long as this lives.
#[derive(Debug)]
pub(super) struct RunUser {
    pub(super) id: u32,
    _lock: Flock<File>,
}

impl RunUser {
    /// One that nobody else uses, on this machine or in this container.
    pub(super) fn claim() -> Result<RunUser> {
        let folder = folder()?;
        // Who claims many at once does not start at the same place each time.
        let start = NUMBERS.start + std::process::id() % (NUMBERS.end - NUMBERS.start);
        for id in (start..NUMBERS.end).chain(NUMBERS.start..start) {
            if let Some(user) = RunUser::try_claim(&folder, id)?
                && !has_objects(id)?
            {
                return Ok(user);
            }
        }
        Err(Error::refused("lab", Errno::EAGAIN, format!("users {NUMBERS:?}"))
            .with_remedy("all of them are in use: grade fewer submissions at once"))
    }

    /// Those that have System V objects and no run: its warden and its supervisor were both killed.
    pub(super) fn stale() -> Result<Vec<RunUser>> {
        let owners = census::all()?.into_iter().map(|object| object.creator);
        let owners: BTreeSet<u32> = owners.filter(|id| NUMBERS.contains(id)).collect();
        if owners.is_empty() {
            return Ok(Vec::new());
        }
        let folder = folder()?;
        let claims = owners.into_iter().map(|id| RunUser::try_claim(&folder, id));
        claims.filter_map(Result::transpose).collect()
    }

    fn try_claim(folder: &Path, id: u32) -> Result<Option<RunUser>> {
        let path = folder.join(id.to_string());
        let failed = |error| Error::from_io("open", &error, path.display().to_string());
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        let Ok(lock) = Flock::lock(file, FlockArg::LockExclusiveNonblock) else { return Ok(None) };
        Ok(is_free(id).then_some(RunUser { id, _lock: lock }))
    }
}

/// Where the locks are: for all courses of this machine, whatever TMPDIR is. In /run nobody but root
/// can take the name; a container without one has no other users, most likely.
fn folder() -> Result<PathBuf> {
    let run = Path::new("/run");
    let is_roots = |found: fs::Metadata| found.uid() == 0 && found.mode() & 0o022 == 0;
    let is_usable = fs::metadata(run).is_ok_and(is_roots) && access(run, AccessFlags::W_OK).is_ok();
    let place = if is_usable { run } else { Path::new("/tmp") };
    cache::own(&place.join("ipc-course-users"), 0o700, "remove it, as root")
}

/// Nobody of that name, and no process: a stranger's are not to be killed.
fn is_free(id: u32) -> bool {
    let has_name = User::from_uid(Uid::from_raw(id)).is_ok_and(|user| user.is_some());
    !has_name && !sweep::has_processes(id)
}

fn has_objects(id: u32) -> Result<bool> {
    Ok(census::all()?.iter().any(|object| object.owner == id || object.creator == id))
}
