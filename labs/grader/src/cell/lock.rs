//! One run at a time, in modes where a run cannot tell its own System V objects from another's.
//!
//! By flock(2), whose lock belongs to the open file: warden and cell have it together, and whoever of
//! them is killed, the other keeps it until all is swept.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use ipc_common::{Errno, Error, Result};
use nix::fcntl::{Flock, FlockArg};

use super::Event;

/// Opens the file, and takes no lock.
pub(super) fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map_err(|error| Error::from_io("open", &error, path.display().to_string()))
}

/// Waits until no other run has the lock, and says now and then that it waits.
pub(super) fn wait(mut file: File) -> Result<Flock<File>> {
    let mut told = Instant::now();
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((back, Errno::EAGAIN | Errno::EINTR)) => file = back,
            Err((_, errno)) => return Err(Error::new("flock", errno, "one run at a time")),
        }
        if told.elapsed() > Duration::from_secs(5) {
            Event::Waiting.tell();
            told = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether no other run has the lock. (Then this one has it: the question takes it.)
pub(super) fn is_ours(file: &File) -> bool {
    let Ok(same) = file.try_clone() else { return false };
    match Flock::lock(same, FlockArg::LockExclusiveNonblock) {
        // Not unlocked when it goes out of scope: the lock is the open file's, and so the warden's.
        Ok(lock) => {
            std::mem::forget(lock);
            true
        }
        Err(_) => false,
    }
}
