//! A program that is started as it is, with no sandbox around it.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ipc_common::{Error, Result};

use super::Ended;
use crate::driver::Ends;

/// A program that was started.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a program in a folder, with an empty environment.
    ///
    /// # Errors
    ///
    /// Those of fork(2) and execve(2).
    pub fn start(program: &Path, folder: &Path) -> Result<Process> {
        let child = Command::new(program)
            .current_dir(folder)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| Error::from_io("execve", &error, program.display().to_string()))?;
        Ok(Process { child })
    }

    pub(crate) fn take_pipes(&mut self) -> Ends {
        let child = &mut self.child;
        Ends {
            stdin: child.stdin.take().expect("taken once").into(),
            stdout: child.stdout.take().expect("taken once").into(),
            stderr: child.stderr.take().expect("taken once").into(),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Ends it by SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
    }

    /// How it ended, if it does until then.
    pub fn wait(&mut self, until: Instant, meanwhile: &mut dyn FnMut()) -> Option<Ended> {
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(match (status.code(), status.signal()) {
                    (Some(code), _) => Ended::Exited(code),
                    (None, signal) => Ended::Killed(signal.unwrap_or(0)),
                });
            }
            if Instant::now() >= until {
                return None;
            }
            meanwhile();
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
