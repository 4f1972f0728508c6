//! `sysv-shm limits`: what `ipcs -l` shows, beside what is in use.

use std::io::Write as _;

use clap::Args;
use ipc_common::cli::style::{FAINT, STRONG};
use ipc_common::cli::{Failure, out};
use serde_json::json;

/// Show how many segments and semaphores the system allows, and how many there are
///
/// Read from /proc/sys/kernel and /proc/sysvipc. The limits hold for each IPC namespace. Root can
/// change those that name a file: sysctl kernel.shmmni=8192.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sysv-shm limits
  ipcs -l               the system's own tool

Exit codes: 0 shown, 1 failed, 2 wrong usage.")]
pub struct Limits {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Limits {
    pub fn run(self) -> Result<(), Failure> {
        let limits = sysv_shm::limits()?;
        let sem = &limits.semaphores;
        let mut out = out();
        if self.json {
            let object = json!({
                "shmmni": limits.most_segments,
                "shmmax": limits.largest_segment,
                "shmmin": limits.smallest_segment,
                "shmall": limits.most_pages,
                "segments": limits.segments,
                "pages": limits.pages,
                "semmsl": sem.most_in_a_set,
                "semmns": sem.most,
                "semopm": sem.most_operations,
                "semmni": sem.most_sets,
                "semvmx": sem.largest_value,
                "semaphore_sets": sem.sets,
                "semaphores": sem.semaphores,
            });
            writeln!(out, "{object}")?;
            return Ok(());
        }
        writeln!(out, "{STRONG}  {:<7}{:>21}{:>10}{STRONG:#}", "name", "limit", "in use")?;
        let mut line = |name: &str, limit: u64, used: Option<u64>, what: &str| {
            let used = used.map(|used| used.to_string()).unwrap_or_default();
            writeln!(out, "  {name:<7}{limit:>21}{used:>10}  {FAINT}{what}{FAINT:#}")
        };
        line("SHMMNI", limits.most_segments, Some(limits.segments), "segments (kernel.shmmni)")?;
        line("SHMMAX", limits.largest_segment, None, "bytes in a segment (kernel.shmmax)")?;
        line("SHMMIN", limits.smallest_segment, None, "bytes in a segment, at least")?;
        line(
            "SHMALL",
            limits.most_pages,
            Some(limits.pages),
            "pages in all segments (kernel.shmall)",
        )?;
        line("SEMMNI", sem.most_sets, Some(sem.sets), "semaphore sets (kernel.sem, fourth)")?;
        line("SEMMNS", sem.most, Some(sem.semaphores), "semaphores in all sets (second)")?;
        line("SEMMSL", sem.most_in_a_set, None, "semaphores in a set (first)")?;
        line("SEMOPM", sem.most_operations, None, "operations in a semop (third)")?;
        line("SEMVMX", sem.largest_value, None, "the value of a semaphore")?;
        Ok(())
    }
}
