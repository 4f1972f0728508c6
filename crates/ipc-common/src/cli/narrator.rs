//! How a story is told: acts and lines, slowly enough to be read where somebody reads.

use std::fmt::Display;
use std::io::{IsTerminal, Write, stdout};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::style::STRONG;
use super::{Failure, Quit, out};

/// Long enough to read a line.
const BEAT: Duration = Duration::from_millis(350);

/// Tells a story on standard output. Every line asks first whether a signal wants us to end.
#[derive(Debug)]
pub struct Narrator<'a> {
    quit: &'a Quit,
    /// Nobody reads along in a pipe, so nobody has to be waited for.
    beat: Duration,
}

impl<'a> Narrator<'a> {
    /// With pauses if standard output is a terminal, and none otherwise.
    pub fn new(quit: &'a Quit) -> Narrator<'a> {
        let beat = if stdout().is_terminal() { BEAT } else { Duration::ZERO };
        Narrator { quit, beat }
    }

    /// A new act.
    ///
    /// # Errors
    ///
    /// [`Failure::Signal`], [`Failure::Output`].
    pub fn act(&self, title: &str) -> Result<(), Failure> {
        self.pause()?;
        self.print(&format_args!("{STRONG}{title}{STRONG:#}"))
    }

    /// A line of it.
    ///
    /// # Errors
    ///
    /// [`Failure::Signal`], [`Failure::Output`].
    pub fn say(&self, what: impl Display) -> Result<(), Failure> {
        self.print(&format_args!("  {what}"))
    }

    /// An empty line.
    ///
    /// # Errors
    ///
    /// [`Failure::Signal`], [`Failure::Output`].
    pub fn blank(&self) -> Result<(), Failure> {
        self.print(&"")
    }

    fn print(&self, what: &dyn Display) -> Result<(), Failure> {
        self.quit.check()?;
        let mut out = out();
        writeln!(out, "{what}")?;
        Ok(out.flush()?)
    }

    /// Time to read, unless we are asked to quit.
    ///
    /// # Errors
    ///
    /// [`Failure::Signal`].
    pub fn pause(&self) -> Result<(), Failure> {
        let until = Instant::now() + self.beat;
        loop {
            self.quit.check()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            sleep(left.min(Quit::NAP));
        }
    }
}

/// Runs a command that listens for signals. Ctrl-C at a terminal goes to its children, too: that
/// one of them has gone is then no error, but what was asked for.
pub fn watching(command: impl FnOnce(&Quit) -> Result<(), Failure>) -> Result<(), Failure> {
    let quit = Quit::watch()?;
    let done = command(&quit);
    if done.is_err() {
        quit.check()?;
    }
    done
}

/// How a process ended, as a shell would say it.
pub fn ending(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(number), _) => match Signal::try_from(number) {
            Ok(signal) => format!("killed by {signal}"),
            Err(_) => format!("killed by signal {number}"),
        },
        (None, Some(code)) => format!("ended with exit code {code}"),
        (None, None) => status.to_string(),
    }
}
