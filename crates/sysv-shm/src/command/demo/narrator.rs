//! How the play is told: who acts, and what the kernel says to it.

use std::fmt::Display;
use std::io::{IsTerminal, stdout};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anstyle::Style;
use ipc_common::Key;
use ipc_common::cli::style::{FAINT, KERNEL, STRONG};
use ipc_common::cli::{Actor, Failure, Quit};
use sysv_shm::Segment;

use super::{state, writeln};

/// Long enough to read a line.
const BEAT: Duration = Duration::from_millis(500);

/// Tells the play.
pub struct Narrator<'a> {
    quit: &'a Quit,
    /// Nobody reads along in a pipe, so nobody has to be waited for.
    beat: Duration,
}

impl<'a> Narrator<'a> {
    pub fn new(quit: &'a Quit) -> Narrator<'a> {
        let beat = if stdout().is_terminal() { BEAT } else { Duration::ZERO };
        Narrator { quit, beat }
    }

    /// A new act.
    pub fn act(&self, title: &str) -> Result<(), Failure> {
        self.pause()?;
        writeln(&format_args!("\n{STRONG}{title}{STRONG:#}"))
    }

    /// Somebody says or does something.
    pub fn says(&self, who: &str, style: Style, what: &str) -> Result<(), Failure> {
        self.line(&format_args!("{style}{who:<9}{style:#} {what}"))
    }

    /// What the kernel holds now.
    pub fn kernel(&self, segment: Segment) -> Result<(), Failure> {
        self.line(&format_args!("{FAINT}kernel{FAINT:#}    {}", state(segment)))
    }

    /// What the kernel finds under a key now.
    pub fn by_key(&self, key: &str) -> Result<(), Failure> {
        let found = match key.parse::<Key>().and_then(Segment::open) {
            Ok(segment) => format!("segment {}", segment.id()),
            Err(error) => format!("{:?}", error.errno()),
        };
        self.line(&format_args!(
            "{FAINT}kernel{FAINT:#}    {KERNEL}{found}{KERNEL:#} {FAINT}(shmget({key}): a new process does not find it){FAINT:#}"
        ))
    }

    /// An actor has started.
    pub fn enter(&self, actor: &Actor, style: Style, command: &str) -> Result<(), Failure> {
        let pid = actor.pid();
        self.says(actor.name(), style, &format!("process {pid} starts: {command}"))
    }

    /// An actor has gone.
    pub fn leaves(&self, actor: &Actor, style: Style, how: &str) -> Result<(), Failure> {
        self.says(actor.name(), style, &format!("process {} {how}", actor.pid()))
    }

    /// The next line of an actor.
    pub fn hears(&self, actor: &mut Actor, style: Style) -> Result<(), Failure> {
        let heard = actor.line(self.quit)?;
        self.says(actor.name(), style, &format!("reads \"{heard}\""))
    }

    /// Time to read, unless we are asked to quit.
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

    fn line(&self, what: &dyn Display) -> Result<(), Failure> {
        self.quit.check()?;
        writeln(&format_args!("  {what}"))
    }
}
