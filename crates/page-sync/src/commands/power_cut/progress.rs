//! How far it is, on standard error, where somebody looks.

use std::io::{self, IsTerminal, Write};

use ipc_common::cli::Quit;
use ipc_common::cli::style::FAINT;
use page_sync::power_cut::{Action, Barriers, Watcher};

/// From the start of the line to its end.
const ERASE: &str = "\r\x1b[K";

/// Shows each trial on one line that is written over, and listens for Ctrl-C.
pub struct Progress<'a> {
    quit: &'a Quit,
    terminal: bool,
}

impl Progress<'_> {
    pub fn new(quit: &Quit) -> Progress<'_> {
        // A terminal that cannot move its cursor would show one endless line.
        let dumb = std::env::var_os("TERM").is_none_or(|kind| kind == "dumb");
        Progress { quit, terminal: io::stderr().is_terminal() && !dumb }
    }

    /// Leaves nothing of it on the screen.
    pub fn clear(&self) {
        if self.terminal {
            let _ = write!(io::stderr(), "{ERASE}");
        }
    }
}

impl Watcher for Progress<'_> {
    fn stop(&mut self) -> bool {
        self.quit.asked().is_some()
    }

    fn next(&mut self, done: usize, all: usize, action: Action, barriers: Barriers) {
        if self.terminal {
            let control = match barriers {
                Barriers::On => "",
                Barriers::Off => ", nobarrier",
            };
            let _ = write!(io::stderr(), "{ERASE}");
            let _ = write!(
                anstream::stderr(),
                "{FAINT}power cut {} of {all}: {}{control}{FAINT:#}",
                done + 1,
                action.calls()
            );
        }
    }
}
