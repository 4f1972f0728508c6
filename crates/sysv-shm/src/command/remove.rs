//! `sysv-shm remove`: IPC_RMID, which no program of the lecture calls.

use std::io::Write as _;

use clap::Args;
use ipc_common::cli::style::KERNEL;
use ipc_common::cli::{Failure, out, warn};
use sysv_shm::note;

use super::naming::Naming;
use super::show;

/// Mark the segment for removal, and remove the lock beside it
///
/// The key is free at once. The memory goes when the last process detaches, or now if none is
/// attached; `sysv-shm list` shows a segment that lingers, with key 0x00000000.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sysv-shm remove
  sysv-shm remove --key 0x5203a1b2
  ipcrm -m ID                       for a segment that has no key any more

Exit codes: 0 removed, 1 failed (nothing there, or not yours), 2 wrong usage.")]
pub struct Remove {
    #[command(flatten)]
    naming: Naming,
}

impl Remove {
    pub fn run(self) -> Result<(), Failure> {
        let key = self.naming.key()?;
        let removed = note::remove(key)?;
        let mut out = out();
        match (removed.segment, &removed.lingering) {
            (Some(id), Some(stat)) => writeln!(
                out,
                "marked segment {id} for removal: attached {KERNEL}{}{KERNEL:#}, so it goes with the last detach; its key reads {KERNEL}{}{KERNEL:#}",
                show::count(stat.attached, "time", "times"),
                stat.key
            )?,
            (Some(id), None) => writeln!(out, "removed segment {id}, key {key}")?,
            (None, _) => writeln!(out, "there was no segment with key {key}")?,
        }
        if let Some(id) = removed.semaphores {
            writeln!(out, "removed semaphores {id}")?;
        }
        if let Some(error) = removed.left {
            warn(&format_args!("semaphores left alone: {error}"));
        }
        Ok(())
    }
}
