//! An action, done and timed.

use std::time::{Duration, Instant};

use ipc_common::Result;

use super::action::{Action, WRITTEN};
use crate::file::PageFile;
use crate::sync::Msync;

/// An action that was done.
pub(super) struct Performed {
    pub took: Duration,
    /// Still mapped and open, unless that was what the action ended.
    pub file: Option<PageFile>,
}

/// Does the action, and nothing else while the clock runs.
pub(super) fn perform(action: Action, file: PageFile) -> Result<Performed> {
    let second = file.pages().bytes_of(WRITTEN[0])?;
    let start = Instant::now();
    match action {
        Action::Nothing => {}
        Action::Munmap => {
            drop(file);
            return Ok(Performed { took: start.elapsed(), file: None });
        }
        Action::MsAsync => file.sync(.., Msync::ASYNC).map(drop)?,
        Action::SyncFileRange => file.write_out(..).map(drop)?,
        Action::MsSyncPage => file.sync(second, Msync::SYNC).map(drop)?,
        Action::MsSync => file.sync(.., Msync::SYNC).map(drop)?,
        Action::Fdatasync => file.fdatasync()?,
        Action::Fsync => file.fsync()?,
    }
    Ok(Performed { took: start.elapsed(), file: Some(file) })
}
