//! `maps`: which files a process has mapped. Slide "Memory Mapped Files: Benefits".

use std::io::Write;

use clap::Args;
use ipc_common::cli::style::{FAINT, STRONG};
use ipc_common::cli::{Failure, json_line, out, shown};
use mmap_file::maps::{self, Listed};
use serde_json::json;

/// Show which files a process has mapped.
#[derive(Args)]
#[command(
    long_about = "Show which files a process has mapped: the slide's \"dynamic loading\". A \
program is mapped, not read: its code read and exec, its constants read, its variables read and \
write, all private, so that each process has variables of its own while all share the code. A \
note that a reader has open is there, too: shared.",
    after_help = "Examples:\n  mmap-file maps            this very program\n  \
mmap-file maps $$         your shell\n  mmap-file maps --json 1234\n\n\
Exit codes: 0 done; 1 failed, also if there is no such process or it is another user's; 2 wrong \
usage."
)]
pub struct Maps {
    /// The process [default: this program itself]
    pid: Option<u32>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Maps {
    pub fn run(self) -> Result<(), Failure> {
        let pid = self.pid.unwrap_or(std::process::id());
        let files: Vec<Listed> = maps::of(pid)?.into_iter().filter(Listed::is_file).collect();
        let mut out = out();
        if self.json {
            let files: Vec<_> = files.iter().map(as_json).collect();
            writeln!(out, "{}", json_line(&json!({ "pid": pid, "files": files })))?;
            return Ok(());
        }
        let whose = if self.pid.is_none() { ", which is this program itself" } else { "" };
        writeln!(out, "Files that process {STRONG}{pid}{STRONG:#} has mapped{whose}:")?;
        let mut last = None;
        for listed in &files {
            if last != Some(&listed.name) {
                writeln!(out, "{STRONG}{}{STRONG:#}", shown(&listed.name))?;
                last = Some(&listed.name);
            }
            let (kib, at) = ((listed.end - listed.start) / 1024, listed.offset);
            writeln!(
                out,
                "  {:<11}{:<9}{kib:>8} KiB  {FAINT}{:#x}, file offset {at:#x}{FAINT:#}",
                listed.protection(),
                listed.sharing.to_string(),
                listed.start,
            )?;
        }
        if files.is_empty() {
            writeln!(out, "  none: it is a kernel thread, or has ended")?;
        }
        Ok(())
    }
}

fn as_json(listed: &Listed) -> serde_json::Value {
    json!({
        "path": listed.name.to_string_lossy(),
        "start": listed.start,
        "end": listed.end,
        "offset": listed.offset,
        "read": listed.read,
        "write": listed.write,
        "exec": listed.exec,
        "sharing": listed.sharing.to_string(),
        "device": listed.device,
        "inode": listed.inode,
    })
}
