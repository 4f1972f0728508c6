//! One check, in a process of its own: it has a time-out, and a panic in it hurts nobody. What its
//! programs use together is watched, and what they leave is swept.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, pipe2};

use super::inside::{Cell, millis};
use super::{CheckOrder, Event, places};
use crate::check::{Check, Stop};
use crate::evidence::census::Object;
use crate::random::Seed;
use crate::sandbox::{Mode, floods, sweep, sys};
use crate::stage::{Setting, Stage};
use crate::verdict::Outcome;

/// Between two looks at memory and disk.
const LOOK: Duration = Duration::from_millis(25);

/// Runs a check: what it found, and how long that took. Nothing of it is left afterwards.
pub(super) fn run(
    cell: &Cell<'_>,
    check: &Check,
    order: &CheckOrder,
    seed: Seed,
    round: u32,
    before: &[Object],
) -> (Outcome, u64) {
    let begun = Instant::now();
    let folder = match cell.places.for_a_check(&format!("{}-{round}", check.id), cell.identity) {
        Ok(folder) => folder,
        Err(error) => return (Outcome::GraderFailed { what: error.to_string() }, 0),
    };
    let setting = Setting {
        mode: cell.job.mode,
        identity: cell.identity,
        program: cell.places.driver.clone(),
        folder: folder.clone(),
        own_root: cell.job.mode == Mode::Full,
    };
    let limit = Duration::from_secs(order.seconds.into());
    let outcome = in_child(cell, check, setting, seed, limit)
        .unwrap_or_else(|errno| Outcome::GraderFailed { what: format!("fork: {errno}") });
    let took = millis(begun);
    sweep::run(cell.job.mode, cell.identity);
    let mut left = match sweep::objects(cell.job.mode, cell.identity, before) {
        Ok(left) => left,
        Err(error) => return (Outcome::GraderFailed { what: error.to_string() }, took),
    };
    left.extend(places::remove(&folder));
    if !left.is_empty() {
        Event::Swept { what: left }.tell();
    }
    (outcome, took)
}

fn in_child(
    cell: &Cell<'_>,
    check: &Check,
    setting: Setting,
    seed: Seed,
    limit: Duration,
) -> Result<Outcome, Errno> {
    let (ours, theirs) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    let child = sys::fork(CloneFlags::empty(), || {
        let _ = prctl::set_pdeathsig(Signal::SIGKILL);
        let outcome = perform(check, setting, seed, limit);
        // Short enough for any pipe.
        let told = serde_json::to_vec(&outcome).map_err(std::io::Error::other);
        let mut pipe = std::fs::File::from(theirs);
        told.and_then(|bytes| pipe.write_all(&bytes)).map_or(1, |()| 0)
    })?;
    Ok(watch(cell, child, ours, limit))
}

/// In the child: the check, with all that can go wrong with it.
fn perform(check: &Check, setting: Setting, seed: Seed, limit: Duration) -> Outcome {
    let run = || {
        let mut stage = Stage::new(setting, seed, check.id, limit).map_err(Stop::from)?;
        (check.run)(&mut stage)
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(verdict) => Outcome::from(verdict).shortened(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("");
            Outcome::GraderFailed { what: format!("the check panicked: {text}") }
        }
    }
}

/// In the cell: waits for the outcome, and for no longer than said.
fn watch(cell: &Cell<'_>, child: Pid, pipe: OwnedFd, limit: Duration) -> Outcome {
    let until = Instant::now() + limit;
    let mut told = Vec::new();
    let mut pipe = std::fs::File::from(pipe);
    let stopped = loop {
        let nap = PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::ZERO);
        let mut ready = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut ready, nap);
        match pipe.read_to_end(&mut told) {
            // The keepers, which may outlive the check for a moment, do not hold this pipe.
            Ok(_) => break None,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => break Some(Outcome::GraderFailed { what: error.to_string() }),
        }
        if Instant::now() > until {
            break Some(Outcome::Failed {
                expected: format!("an end within {} s", limit.as_secs()),
                shown: "it was still going on, and was stopped".into(),
                misconception: None,
            });
        }
        let folders = [cell.places.scratch.as_path()];
        if let Some(flood) = floods::look(cell.job.mode, cell.identity, &folders) {
            break Some(Outcome::Failed {
                expected: "a program that uses what it needs".into(),
                shown: flood,
                misconception: None,
            });
        }
    };
    if stopped.is_some() {
        let _ = kill(child, Signal::SIGKILL);
    }
    let how = waitpid(child, None);
    stopped.unwrap_or_else(|| match how {
        Ok(WaitStatus::Exited(_, 0)) => serde_json::from_slice(&told)
            .unwrap_or_else(|error| Outcome::GraderFailed { what: error.to_string() }),
        other => Outcome::GraderFailed { what: format!("the check ended early: {other:?}") },
    })
}
