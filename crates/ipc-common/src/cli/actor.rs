//! A real child process that plays a part in a demo: this very program, started again with other
//! arguments, its lines handed to whoever narrates.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Failure, Quit};
use crate::{Errno, Error};

/// How long a demo waits for a line of an actor before it says that something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);

/// A child process, killed and reaped when dropped. It also dies when the narrator is killed.
#[derive(Debug)]
pub struct Actor {
    name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Actor {
    /// Starts this program again with `arguments`. Its standard error stays ours.
    ///
    /// # Errors
    ///
    /// Those of fork(2) and execve(2).
    pub fn start<S: AsRef<OsStr>>(
        name: &'static str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Actor, Failure> {
        // Not `current_exe`: it would name a deleted file if cargo rebuilds meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.arg0(env::args_os().next().unwrap_or_default());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        // SAFETY: between fork and exec only async-signal-safe calls are allowed; this is one
        // prctl(2), with no allocation and no lock.
        unsafe {
            command.pre_exec(|| {
                nix::sys::prctl::set_pdeathsig(Signal::SIGTERM)?;
                Ok(())
            });
        }
        let mut child = command
            .spawn()
            .map_err(|error| Error::from_io("fork", &error, format!("the {name}")))?;
        let input = child.stdin.take();
        let output = child.stdout.take();
        let (send, lines) = mpsc::channel();
        let listen = move || {
            for line in output.map(BufReader::new).into_iter().flat_map(BufRead::lines) {
                let Ok(line) = line else { break };
                if send.send(line).is_err() {
                    break;
                }
            }
        };
        // From here on, dropping `actor` ends the child.
        let actor = Actor { name, child, input, lines };
        thread::Builder::new().spawn(listen).map_err(|error| {
            Error::from_io("clone", &error, format!("a thread that listens to the {name}"))
        })?;
        Ok(actor)
    }

    /// The part it plays.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives it a line to read.
    ///
    /// # Errors
    ///
    /// `EPIPE` if it has gone; [`Failure::Signal`] if we are asked to quit as well.
    pub fn tell(&mut self, line: &str, quit: &Quit) -> Result<(), Failure> {
        let Some(input) = &mut self.input else { return Ok(()) };
        writeln!(input, "{line}").or_else(|error| {
            self.gone(quit)?;
            Err(Failure::Error(Error::from_io("write", &error, format!("to the {}", self.name))))
        })
    }

    /// Its end, if it has come already.
    ///
    /// # Errors
    ///
    /// Those of wait(2).
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, Failure> {
        self.child.try_wait().map_err(|error| {
            Failure::Error(Error::from_io("wait", &error, format!("process {}", self.pid())))
        })
    }

    /// A Ctrl-C goes to actors and narrator alike, and an actor may be gone before the narrator
    /// knows. So it waits a moment for a signal of its own before it blames the actor.
    fn gone(&self, quit: &Quit) -> Result<(), Failure> {
        thread::sleep(Quit::NAP);
        quit.check()
    }

    /// The next line it prints.
    ///
    /// # Errors
    ///
    /// [`Failure::Signal`] if we are asked to quit; `EPIPE` if it ended without a line;
    /// `ETIMEDOUT` if nothing comes for long.
    pub fn line(&mut self, quit: &Quit) -> Result<String, Failure> {
        let until = Instant::now() + PATIENCE;
        let silent = |errno, remedy: String| {
            Failure::Error(
                Error::refused("demo", errno, format!("the {}", self.name)).with_remedy(remedy),
            )
        };
        loop {
            quit.check()?;
            match self.lines.recv_timeout(Quit::NAP) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Disconnected) => {
                    self.gone(quit)?;
                    return Err(silent(
                        Errno::EPIPE,
                        "it ended early; what it said is above".into(),
                    ));
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() > until => {
                    let remedy = format!(
                        "it said nothing for {} s; run its command by hand",
                        PATIENCE.as_secs()
                    );
                    return Err(silent(Errno::ETIMEDOUT, remedy));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Ends its input and waits until it has gone.
    ///
    /// # Errors
    ///
    /// Those of wait(2).
    pub fn finish(&mut self) -> Result<ExitStatus, Failure> {
        drop(self.input.take());
        self.child.wait().map_err(|error| {
            Failure::Error(Error::from_io("wait", &error, format!("process {}", self.pid())))
        })
    }

    /// Sends it a signal and waits until it has gone.
    ///
    /// # Errors
    ///
    /// Those of kill(2) and wait(2).
    pub fn end_by(&mut self, signal: Signal) -> Result<ExitStatus, Failure> {
        let about = format!("process {}", self.pid());
        kill(Pid::from_raw(self.pid().cast_signed()), signal)
            .map_err(|errno| Error::new("kill", errno, about))?;
        self.finish()
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        // Both fail only if it has gone already, and then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
