//! `sysv-shm list`: what `ipcs -m` shows.

use std::io::Write as _;

use clap::Args;
use ipc_common::cli::style::STRONG;
use ipc_common::cli::{Failure, out};
use serde_json::{Value, json};

use super::show::{self, user};

/// List all segments of this system, everybody's
///
/// Read from /proc/sysvipc/shm, which shows all segments of the IPC namespace to everyone, also
/// those that one may not attach. A key of 0x00000000 is IPC_PRIVATE, or a segment that is marked
/// for removal and still attached somewhere.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sysv-shm list
  sysv-shm list --json
  ipcs -m               the system's own tool

Exit codes: 0 listed, 1 failed, 2 wrong usage.")]
pub struct List {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl List {
    pub fn run(self) -> Result<(), Failure> {
        let segments = sysv_shm::list()?;
        let mut out = out();
        if self.json {
            let all: Vec<Value> = segments.iter().map(show::segment).collect();
            writeln!(out, "{}", json!({ "segments": all }))?;
            return Ok(());
        }
        if segments.is_empty() {
            writeln!(out, "there are no segments")?;
            return Ok(());
        }
        let head = format!(
            "{:<10}  {:>10}  {:<12}  {:<4}  {:>14}  {:>6}  {:>10}",
            "key", "id", "owner", "mode", "bytes", "nattch", "creator"
        );
        writeln!(out, "{STRONG}{head}{STRONG:#}")?;
        for stat in &segments {
            let marked = if stat.marked_for_removal { "  marked for removal" } else { "" };
            writeln!(
                out,
                "{:<10}  {:>10}  {:<12}  {:<4}  {:>14}  {:>6}  {:>10}{marked}",
                stat.key.to_string(),
                stat.id,
                user(stat.owner),
                stat.mode.to_string(),
                stat.size,
                stat.attached,
                stat.creator_pid,
            )?;
        }
        Ok(())
    }
}
