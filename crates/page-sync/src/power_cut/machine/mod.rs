//! The machine whose power is cut: a process that mounts the disk, does one trial, and says what it
//! found.
//!
//! A process, because whoever has a file system mounted or a file of it open waits for the disk when
//! it ends, in state D. The one that started both must never wait so: when it is killed, the kernel
//! kills the disk and the machine (PR_SET_PDEATHSIG), and sends that signal only once it has closed
//! all files. And a process that was killed has unmounted everything when wait(2) returns.

mod message;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ipc_common::{Errno, Error, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{dup2_stdin, read};

use super::stage::Stage;
use super::trial::{self, Task, Trial};
use crate::sys;

/// Is the machine. Standard input is `/dev/fuse`.
pub(super) fn serve(task: &Task) -> Result<()> {
    let result = do_trial(task);
    // Nobody is left to tell if that fails.
    let _ = writeln!(io::stdout(), "{}", message::of(&result));
    Ok(())
}

fn do_trial(task: &Task) -> Result<Trial> {
    let stage = Stage::enter(&task.name)?;
    let files = stage.mount_disk(&task.name, io::stdin())?;
    // The kernel gives up a disk that has ended only when nobody else has its device open.
    File::open("/dev/null").map_err(|error| Error::from_io("open", &error, "/dev/null")).and_then(
        |null| dup2_stdin(null).map_err(|errno| Error::new("dup2", errno, "/dev/null")),
    )?;
    writeln!(io::stdout(), "{}", message::MOUNTED)
        .map_err(|error| Error::from_io("write", &error, "the machine"))?;
    let trial = trial::run(task, &stage, files)?;
    stage.close()?;
    Ok(trial)
}

/// The running machine. Killed when dropped, and then nothing of it is mounted any more.
#[derive(Debug)]
pub(super) struct Machine {
    child: Child,
    output: ChildStdout,
    heard: Vec<u8>,
}

/// What a machine has said.
#[derive(Debug)]
pub(super) enum Said {
    /// Nothing yet.
    Nothing,
    /// It has mounted the disk, which now has to be there.
    Mounted,
    /// It is done.
    Done(Result<Trial>),
    /// It has ended without a result.
    Gone,
}

impl Machine {
    /// Starts the process.
    pub fn start(mut command: Command, task: &Task, device: &File) -> Result<Machine> {
        let device =
            device.try_clone().map_err(|error| Error::from_io("dup", &error, "/dev/fuse"))?;
        command.args(["machine", task.action.name(), task.barriers.option(), &task.name]);
        command.stdin(Stdio::from(device)).stdout(Stdio::piped());
        sys::die_with_parent(&mut command);
        let failed = |error| Error::from_io("fork", &error, format!("the machine, {}", task.name));
        let mut child = command.spawn().map_err(failed)?;
        let output = child.stdout.take().expect("it is piped");
        Ok(Machine { child, output, heard: Vec::new() })
    }

    /// What it says next, within `limit`.
    pub fn says(&mut self, limit: Duration, task: &Task) -> Result<Said> {
        let failed = |call| move |errno| Error::new(call, errno, "the machine");
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line[..end]).into_owned();
                if line == message::MOUNTED {
                    return Ok(Said::Mounted);
                }
                let strange = || {
                    Error::refused("power_cut", Errno::EPROTO, "the machine")
                        .with_remedy(line.clone())
                };
                return Ok(Said::Done(message::parse(&line, task).ok_or_else(strange)?));
            }
            let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(self.output.as_fd(), PollFlags::POLLIN)], limit) {
                Ok(0) | Err(Errno::EINTR) => return Ok(Said::Nothing),
                Ok(_) => {}
                Err(errno) => return Err(failed("poll")(errno)),
            }
            let mut bytes = [0; 4096];
            match read(&self.output, &mut bytes) {
                Ok(0) => return Ok(Said::Gone),
                Ok(count) => self.heard.extend(&bytes[..count]),
                Err(Errno::EINTR) => return Ok(Said::Nothing),
                Err(errno) => return Err(failed("read")(errno)),
            }
        }
    }

    /// Ends it, and gives it time to unmount: `None` if it is still there then, because it waits for
    /// its disk.
    pub fn end(&mut self, time: Duration) -> Option<ExitStatus> {
        // Fails only if it has gone already.
        let _ = self.child.kill();
        let until = Instant::now() + time;
        loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(1)),
                ended => return ended.ok().flatten(),
            }
        }
    }

    pub fn about(&self) -> String {
        format!("the machine, process {}", self.child.id())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
