//! The process between supervisor and cell. It enters the namespaces, for which the cell is PID 1,
//! and waits: for the cell's end, or for the supervisor's. Afterwards nothing of the run is left.

use std::fs::File;
use std::io::{self, BufRead};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ExitCode;

use ipc_common::{Errno, Error, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, setsid};

use super::{Event, Job, Task, inside, lock};
use crate::check::LabChecks;
use crate::evidence::census::{self, Object};
use crate::sandbox::{Identity, Mode, files, namespace, sweep, sys};

/// The whole life of `lab cell`: a job from standard input, events to standard output.
pub fn main(labs: &[LabChecks]) -> ExitCode {
    match run(labs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Event::Broken { what: error.to_string() }.tell();
            ExitCode::FAILURE
        }
    }
}

fn run(labs: &[LabChecks]) -> Result<()> {
    let job = read_job()?;
    let failed = |call: &'static str| move |errno: Errno| Error::new(call, errno, "the warden");
    // A Ctrl-C is for the supervisor, which then tells us by going.
    let _ = setsid();
    // Keepers whose check was killed are ours then, and we wait for them.
    prctl::set_child_subreaper(true).map_err(failed("prctl"))?;
    let mine = nix::unistd::geteuid().as_raw();
    let identity = match (job.run_user, job.mode) {
        (Some(id), Mode::Full | Mode::RunUid) => Identity::Run(id),
        (None, Mode::Full) => {
            Identity::Inside { user: mine, group: nix::unistd::getegid().as_raw() }
        }
        _ => Identity::Same,
    };
    let lock = job.lock.as_deref().map(lock::open).transpose()?;
    if let Task::Sweep { before } = &job.task {
        let _held = lock.map(lock::wait).transpose()?;
        return clean_up(&job, identity, Some(before));
    }
    let before = if job.mode == Mode::Full { Vec::new() } else { census::all()? };
    if job.mode == Mode::Full {
        namespace::enter_for_a_run()?;
    }
    // Only now: the maps of a process that cannot be dumped belong to root.
    prctl::set_dumpable(false).map_err(failed("prctl"))?;
    let ended = SigSet::from(Signal::SIGCHLD);
    ended.thread_block().map_err(failed("sigprocmask"))?;
    let ends = SignalFd::with_flags(&ended, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .map_err(failed("signalfd"))?;
    // The cell takes the lock, on the very same open file: so it is ours as well, until the end.
    let cells = lock.as_ref().map(File::try_clone).transpose();
    let cells = cells.map_err(|error| Error::from_io("dup", &error, "the lock"))?;
    let cell = sys::fork(CloneFlags::empty(), || inside::run(&job, identity, cells, labs))
        .map_err(failed("fork"))?;
    if wait_for(cell, &ends) {
        // It has swept after each check.
        return clean_up(&job, identity, None);
    }
    // If another run has the lock, ours has not got so far that there is anything to sweep.
    let held = lock.is_none_or(|lock| lock::is_ours(&lock));
    clean_up(&job, identity, held.then_some(&before))?;
    Err(Error::refused("wait", Errno::ECHILD, "the cell ended before its work was done"))
}

fn read_job() -> Result<Job> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Error::from_io("read", &error, "standard input"))?;
    serde_json::from_str(&line).map_err(|error| {
        Error::refused("lab cell", Errno::EINVAL, "the job")
            .with_remedy(format!("{error}; this command is for the grader itself, try `lab check`"))
    })
}

/// Waits for the cell's end, or kills it when the supervisor has gone. Whether it ended well.
fn wait_for(cell: Pid, ends: &SignalFd) -> bool {
    let stdin = io::stdin();
    let mut supervisor: Option<BorrowedFd<'_>> = Some(stdin.as_fd());
    loop {
        let mut ready = vec![PollFd::new(ends.as_fd(), PollFlags::POLLIN)];
        // Hang-ups are reported without being asked for.
        ready.extend(supervisor.map(|fd| PollFd::new(fd, PollFlags::empty())));
        let _ = poll(&mut ready, PollTimeout::NONE);
        let has_gone = ready.get(1).and_then(PollFd::any).unwrap_or(false);
        while let Ok(Some(_)) = ends.read_signal() {}
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == cell => return code == 0,
                Ok(WaitStatus::Signaled(pid, ..)) if pid == cell => return false,
                Ok(WaitStatus::StillAlive) | Err(_) => break,
                Ok(_) => {}
            }
        }
        if has_gone {
            let _ = kill(cell, Signal::SIGKILL);
            supervisor = None;
        }
    }
}

/// Ends and removes what is left of the run, however it ended, and tells what there was. System V
/// objects only if it is known which there were `before`.
fn clean_up(job: &Job, identity: Identity, before: Option<&Vec<Object>>) -> Result<()> {
    let mut left = Vec::new();
    if job.mode != Mode::Full {
        sweep::run(job.mode, identity);
        if let Some(before) = before {
            left = sweep::objects(job.mode, identity, before)?;
        }
        if let Identity::Run(id) = identity {
            left.extend(files::of_user(id));
        }
    }
    if !left.is_empty() {
        Event::Swept { what: left }.tell();
    }
    match &job.folder {
        Some(folder) if folder.exists() => files::remove_tree(folder)
            .map_err(|error| Error::from_io("rmdir", &error, folder.display().to_string())),
        _ => Ok(()),
    }
}
