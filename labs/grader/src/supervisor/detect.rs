//! Which modes work here: found out by doing it, with a harmless program.

use std::path::Path;

use super::pipe::{Cell, End};
use super::surroundings::Surroundings;
use crate::cell::{Event, Job, Task};
use crate::sandbox::Mode;

/// The best mode, and why not a better one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The best mode that works here.
    pub best: Mode,
    /// The better ones, and why they do not.
    pub why_not: Vec<(Mode, String)>,
}

impl Found {
    /// Looks.
    pub fn look(cell: &Path) -> Found {
        let mut why_not = Vec::new();
        for mode in Mode::ALL {
            match works(mode, cell) {
                Ok(()) => return Found { best: mode, why_not },
                Err(why) => why_not.push((mode, why)),
            }
        }
        // The last one then fails at the first program, and says why.
        Found { best: Mode::Tree, why_not }
    }
}

/// Whether a mode works here.
///
/// # Errors
///
/// Why not, in words.
pub fn works(mode: Mode, cell: &Path) -> Result<(), String> {
    tried(mode, cell).map(drop)
}

/// Whether a mode works here, and what there is to remark then.
///
/// # Errors
///
/// Why not, in words.
pub(crate) fn tried(mode: Mode, cell: &Path) -> Result<Vec<String>, String> {
    let is_root = nix::unistd::geteuid().is_root();
    match (mode, is_root) {
        (Mode::RunUid, false) => return Err("only root can start programs as other users".into()),
        // A Landlock domain does not keep root from what root may do otherwise.
        (Mode::Landlock, true) => return Err("it is for ordinary users; root has run-uid".into()),
        _ => {}
    }
    perform(mode, cell, Task::Probe)
}

/// Has a cell do something that has no result but that it worked: its remarks.
///
/// # Errors
///
/// Why it did not, in words.
pub(super) fn perform(mode: Mode, cell: &Path, task: Task) -> Result<Vec<String>, String> {
    let words = |error: ipc_common::Error| error.to_string();
    let around = Surroundings::make(mode).map_err(words)?;
    let job = Job { mode, run_user: around.user(), folder: around.folder(), lock: None, task };
    let mut cell = Cell::start(cell, &job).map_err(words)?;
    let mut result = Err("the probe ended without a word".to_owned());
    let mut remarks = Vec::new();
    loop {
        match cell.next() {
            Ok(Event::Done) => result = Ok(()),
            Ok(Event::Remark { what }) => remarks.push(what),
            Ok(Event::Broken { what }) => {
                // The first one is the cause.
                if result.as_ref().is_err_and(|why| why.starts_with("the probe")) {
                    result = Err(what);
                }
            }
            Ok(_) => {}
            Err(End::Gone) => break,
            Err(End::Broken(what)) => {
                result = Err(what);
                break;
            }
        }
    }
    cell.end();
    result.map(|()| remarks)
}
