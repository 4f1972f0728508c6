//! How the play is told: who acts, and what the kernel says to it.

use std::ops::Deref;

use anstyle::Style;
use ipc_common::Key;
use ipc_common::cli::style::{FAINT, KERNEL};
use ipc_common::cli::{self, Actor, Failure, Quit};
use sysv_shm::Segment;

use super::state;

/// Tells the play: a [`cli::Narrator`] that knows actors and the kernel.
pub struct Narrator<'a> {
    quit: &'a Quit,
    plain: cli::Narrator<'a>,
}

impl<'a> Deref for Narrator<'a> {
    type Target = cli::Narrator<'a>;

    fn deref(&self) -> &cli::Narrator<'a> {
        &self.plain
    }
}

impl<'a> Narrator<'a> {
    pub fn new(quit: &'a Quit) -> Narrator<'a> {
        Narrator { quit, plain: cli::Narrator::new(quit) }
    }

    /// A new act, with room above it.
    pub fn act(&self, title: &str) -> Result<(), Failure> {
        self.blank()?;
        self.plain.act(title)
    }

    /// Somebody says or does something.
    pub fn says(&self, who: &str, style: Style, what: &str) -> Result<(), Failure> {
        self.say(format_args!("{style}{who:<9}{style:#} {what}"))
    }

    /// What the kernel holds now.
    pub fn kernel(&self, segment: Segment) -> Result<(), Failure> {
        self.say(format_args!("{FAINT}kernel{FAINT:#}    {}", state(segment)))
    }

    /// What the kernel finds under a key now.
    pub fn by_key(&self, key: &str) -> Result<(), Failure> {
        let found = match key.parse::<Key>().and_then(Segment::open) {
            Ok(segment) => format!("segment {}", segment.id()),
            Err(error) => format!("{:?}", error.errno()),
        };
        self.say(format_args!(
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
}
