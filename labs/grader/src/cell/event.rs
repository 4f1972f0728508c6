//! What a cell tells: a line of JSON each, on its standard output.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::verdict::{Build, Outcome};

/// What a cell tells its supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It is still there: it waits for another run to end.
    Waiting,
    /// The build is over.
    Built(Build),
    /// A check is over.
    Checked {
        /// Which.
        id: String,
        /// In which round, from 0.
        round: u32,
        /// What it found.
        outcome: Outcome,
        /// How long it took.
        millis: u64,
    },
    /// Something was left behind, and is gone now: in words.
    Swept {
        /// What it was.
        what: Vec<String>,
    },
    /// Something is not as it should be here, though all works: in words.
    Remark {
        /// What.
        what: String,
    },
    /// The grader failed.
    Broken {
        /// At what.
        what: String,
    },
    /// The end: all that was to be done was done.
    Done,
}

impl Event {
    /// Tells it. Nobody listens any more if that fails, and the end is near.
    pub(super) fn tell(&self) {
        if let Ok(mut line) = serde_json::to_vec(self) {
            line.push(b'\n');
            let mut out = io::stdout().lock();
            let _ = out.write_all(&line).and_then(|()| out.flush());
        }
    }
}
