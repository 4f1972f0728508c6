//! What will work on this machine, in which mode, and what to do about the rest. All of it is read
//! from the system or tried out just then.
//!
//! `machine`: kernel, pages, where it runs; `memory`: System V limits, /dev/shm; `modes`: which ways
//! of holding a program work; `tools`: compiler and linker; `places`: file systems.

mod machine;
mod memory;
mod modes;
mod places;
mod tools;

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::supervisor::Course;

/// How good it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Good,
    /// Something works less well, or not at all, that one can do without.
    Limited,
    /// Labs cannot be checked here.
    Bad,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub topic: &'static str,
    /// How good it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    fn good(topic: &'static str, found: impl Into<String>) -> Finding {
        Finding { topic, state: State::Good, found: found.into(), advice: None }
    }

    fn limited(topic: &'static str, found: impl Into<String>, advice: &str) -> Finding {
        Finding { topic, state: State::Limited, found: found.into(), advice: Some(advice.into()) }
    }

    fn bad(topic: &'static str, found: impl Into<String>, advice: &str) -> Finding {
        Finding { topic, state: State::Bad, found: found.into(), advice: Some(advice.into()) }
    }
}

/// Looks at everything. `cell` is the program that is started as `… cell`.
pub fn examine(course: &Course, cell: &Path) -> Vec<Finding> {
    let mut findings = machine::look();
    findings.extend(tools::look(course, cell));
    findings.extend(memory::look());
    findings.extend(modes::look(cell));
    findings.extend(places::look(course));
    findings
}

/// A file of the kernel's that holds one line.
fn line(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// One that holds a number.
fn number(path: &str) -> Option<u64> {
    line(path)?.parse().ok()
}
