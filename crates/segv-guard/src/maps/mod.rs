//! What a process has mapped: /proc/PID/maps (proc_pid_maps(5)).
//!
//! Parsed by bytes, since a path need not be UTF-8, and one strange name should not hide all the
//! others (the procfs crate gives up).
//!
//! # Layout
//!
//! `listed` is a line of the list; `backing` what stands behind it; here: reading it.

mod backing;
mod listed;

pub use backing::Backing;
pub use listed::Listed;

use std::fs;
use std::path::Path;

use ipc_common::{Errno, Error, Result};

/// All that a process has mapped, by address. What it is doing meanwhile, it may do between two
/// lines.
///
/// # Errors
///
/// `ESRCH` if there is no such process; `EACCES` if it is another user's; `ENOENT` if /proc is not
/// mounted.
///
/// ```
/// let mine = segv_guard::maps::of(std::process::id())?;
/// assert!(mine.iter().any(|listed| listed.is_file() && listed.exec), "this very program");
/// # Ok::<(), ipc_common::Error>(())
/// ```
pub fn of(pid: u32) -> Result<Vec<Listed>> {
    Ok(parse(&read(pid, "maps")?))
}

/// The lines that are mappings. Others are skipped.
pub(crate) fn parse(maps: &[u8]) -> Vec<Listed> {
    maps.split(|byte| *byte == b'\n').filter_map(Listed::parse).collect()
}

/// A file about a process, /proc/PID/`name`, whole: `maps`, `smaps`, …
///
/// # Errors
///
/// Those of [`of`].
pub fn read(pid: u32, name: &str) -> Result<Vec<u8>> {
    fs::read(format!("/proc/{pid}/{name}")).map_err(|error| {
        let error = Error::from_io("open", &error, format!("process {pid}"));
        match error.errno() {
            Errno::ENOENT | Errno::ESRCH if Path::new("/proc/self").exists() => {
                Error::refused("open", Errno::ESRCH, format!("process {pid}"))
                    .with_remedy("there is no process with this id (any more); see `ps -e`")
            }
            Errno::ENOENT => error.with_remedy("/proc is not mounted here, and only it knows"),
            Errno::EACCES | Errno::EPERM => error.with_remedy(
                "this process is another user's, or does not let itself be looked into (see \
                 proc(5) and ptrace(2)); ask about one of your own",
            ),
            _ => error,
        }
    })
}
