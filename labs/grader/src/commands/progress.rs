//! How far a long work is, on standard error: a line that replaces itself on a terminal, elsewhere a
//! line now and then.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ipc_common::cli::style;

/// How wide the bar is.
const WIDTH: usize = 24;

/// A bar that fills.
pub struct Bar {
    what: String,
    begun: Instant,
    shown: Mutex<Option<Instant>>,
    is_terminal: bool,
}

impl Bar {
    /// An empty one.
    pub fn new(what: &str) -> Bar {
        let is_terminal = std::io::stderr().is_terminal();
        Bar { what: what.to_owned(), begun: Instant::now(), shown: Mutex::new(None), is_terminal }
    }

    /// Shows how far it is.
    pub fn show(&self, done: usize, of: usize, remark: &str) {
        let pause = Duration::from_millis(if self.is_terminal { 50 } else { 10_000 });
        let mut shown = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if done < of && shown.is_some_and(|shown| shown.elapsed() < pause) {
            return;
        }
        *shown = Some(Instant::now());
        let left = self.left(done, of);
        let what = &self.what;
        let mut err = anstream::stderr();
        // Nobody is left to tell if this fails.
        let _ = if self.is_terminal {
            let full = (WIDTH * done).checked_div(of).unwrap_or(WIDTH);
            let (full, empty) = ("█".repeat(full), "░".repeat(WIDTH - full));
            let faint = style::FAINT;
            write!(err, "\r\x1b[K{what}  {full}{faint}{empty}{faint:#}  {done}/{of}{left}{remark}")
                .and_then(|()| err.flush())
        } else {
            writeln!(err, "{what}: {done} of {of}{left}{remark}")
        };
    }

    /// What is left, if those to come take as long as those that were.
    fn left(&self, done: usize, of: usize) -> String {
        let so_far = self.begun.elapsed().as_secs_f64();
        if done == 0 || done == of || so_far < 2.0 {
            return String::new();
        }
        let seconds = so_far / done as f64 * (of - done) as f64;
        match seconds {
            s if s < 90.0 => format!(", about {s:.0} s left"),
            s => format!(", about {:.0} min left", s / 60.0),
        }
    }

    /// Takes the line away, for something else to be said.
    pub fn clear(&self) {
        if self.is_terminal {
            let _ = write!(anstream::stderr(), "\r\x1b[K");
        }
    }
}
