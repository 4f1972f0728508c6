//! Work in a process of its own below the cell, watched from there: it has a time-out, what it and
//! its programs use is looked at, and it can be killed without harm.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::pipe2;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sandbox::sys;

/// Between two looks at memory and disk.
const LOOK: Duration = Duration::from_millis(25);

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It took too long.
    TimeOut,
    /// It uses too much, in words.
    Flood(String),
    /// It is our fault.
    Broken(String),
}

/// Does some work in a child, and returns what it found.
pub(super) fn run<T: Serialize + DeserializeOwned>(
    limit: Duration,
    mut floods: impl FnMut() -> Option<String>,
    work: impl FnOnce() -> T,
) -> Result<T, Stopped> {
    let broken = |what: &dyn std::fmt::Display| Stopped::Broken(what.to_string());
    let (ours, theirs) = pipe2(OFlag::O_CLOEXEC).map_err(|errno| broken(&errno))?;
    fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|errno| broken(&errno))?;
    let mut theirs = File::from(theirs);
    let child = sys::fork(CloneFlags::empty(), || {
        let _ = prctl::set_pdeathsig(Signal::SIGKILL);
        let told = serde_json::to_vec(&work()).map_err(std::io::Error::other);
        told.and_then(|bytes| theirs.write_all(&bytes)).map_or(1, |()| 0)
    });
    let child = child.map_err(|errno| broken(&errno))?;
    drop(theirs);
    let until = Instant::now() + limit;
    let mut told = Vec::new();
    let mut pipe = File::from(ours);
    let stopped = loop {
        let mut ready = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut ready, PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::ZERO));
        match pipe.read_to_end(&mut told) {
            // The keepers, which may outlive the work for a moment, do not hold this pipe.
            Ok(_) => break None,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => break Some(broken(&error)),
        }
        if Instant::now() > until {
            break Some(Stopped::TimeOut);
        }
        if let Some(flood) = floods() {
            break Some(Stopped::Flood(flood));
        }
    };
    if stopped.is_some() {
        let _ = kill(child, Signal::SIGKILL);
    }
    let how = waitpid(child, None);
    match (stopped, how) {
        (Some(stopped), _) => Err(stopped),
        (None, Ok(WaitStatus::Exited(_, 0))) => {
            serde_json::from_slice(&told).map_err(|error| broken(&error))
        }
        (None, other) => Err(broken(&format!("the check ended early: {other:?}"))),
    }
}
