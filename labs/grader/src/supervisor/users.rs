//! Users for runs, where we are root: one a run, or one run could kill the other's programs.

use std::fs::{File, OpenOptions};

use ipc_common::{Errno, Error, Result};
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::{Uid, User};

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
        let folder = cache::own(&std::env::temp_dir().join("ipc-course-users"), 0o700)?;
        // Who claims many at once does not start at the same place each time.
        let start = std::process::id() % (NUMBERS.end - NUMBERS.start);
        for id in (NUMBERS.start + start..NUMBERS.end).chain(NUMBERS.start..NUMBERS.start + start) {
            let path = folder.join(id.to_string());
            let failed = |error| Error::from_io("open", &error, path.display().to_string());
            let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
            let Ok(lock) = Flock::lock(file, FlockArg::LockExclusiveNonblock) else { continue };
            if is_free(id)? {
                return Ok(RunUser { id, _lock: lock });
            }
        }
        Err(Error::refused("lab", Errno::EAGAIN, format!("users {NUMBERS:?}"))
            .with_remedy("all of them are in use: grade fewer submissions at once"))
    }
}

/// Nobody of that name, no process, and no System V object: what a stranger has is not swept away.
fn is_free(id: u32) -> Result<bool> {
    let has_name = User::from_uid(Uid::from_raw(id)).is_ok_and(|user| user.is_some());
    let has_object = || -> Result<bool> {
        Ok(census::all()?.iter().any(|object| object.owner == id || object.creator == id))
    };
    Ok(!has_name && !sweep::has_processes(id) && !has_object()?)
}
