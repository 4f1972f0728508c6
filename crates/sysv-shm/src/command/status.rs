//! `sysv-shm status`: what the kernel knows about the note's segment and lock.

use std::io::Write as _;

use clap::Args;
use ipc_common::cli::style::{FAINT, KERNEL, STRONG};
use ipc_common::cli::{Failure, out};
use ipc_common::{Errno, Error, Key, PageSize};
use serde_json::{Value, json};
use sysv_shm::{Lock, LockState, Stat, note, user_name};

use super::naming::Naming;
use super::show::{self, ago, process, row};

/// Show what the kernel knows about the segment and the lock beside it
///
/// All of it is read with shmctl and semctl (IPC_STAT, GETVAL, GETPID), without attaching: a look
/// changes nothing. nattch is how many times the segment is attached, over all processes.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sysv-shm status
  sysv-shm status --json
  ipcs -m -i ID        the same by the system's own tool

Exit codes: 0 shown, 1 failed (no segment, no permission), 2 wrong usage.")]
pub struct Status {
    #[command(flatten)]
    naming: Naming,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Status {
    pub fn run(self) -> Result<(), Failure> {
        let key = self.naming.key()?;
        let found = note::status(key).map_err(|error| self.with_hint(key, error))?;
        let mut out = out();
        if self.json {
            let lock = match &found.lock {
                Ok(lock) => lock.as_ref().map_or(Value::Null, |(id, state)| lock_json(*id, state)),
                Err(error) => json!({ "error": error.to_string() }),
            };
            writeln!(out, "{}", json!({ "segment": show::segment(&found.segment), "lock": lock }))?;
            return Ok(());
        }
        print_segment(&mut out, &found.segment)?;
        match &found.lock {
            Ok(Some((id, state))) => print_lock(&mut out, *id, state)?,
            Ok(None) => writeln!(
                out,
                "{STRONG}no semaphores{STRONG:#} with this key: a foreign program made the segment"
            )?,
            Err(error) => {
                writeln!(out, "{STRONG}semaphores{STRONG:#} that cannot be used: {error}")?
            }
        }
        Ok(())
    }

    /// Without a segment: what can be done instead.
    fn with_hint(&self, key: Key, error: Error) -> Error {
        if error.errno() != Errno::ENOENT || error.call() != "shmget" {
            return error;
        }
        match Lock::open(key) {
            Ok(lock) => error.with_remedy(format!(
                "there is no segment with this key, but its semaphores are left: set {}; remove them: {}",
                lock.semaphores().id(),
                self.naming.command("remove")
            )),
            // Not one of ours, or not ours to look at.
            Err(other) if other.errno() != Errno::ENOENT => error.with_remedy(format!(
                "there is no segment with this key, only a semaphore set that serves something else: {other}"
            )),
            Err(_) => {
                let write = self.naming.command("write hello");
                error.with_remedy(format!("there is no segment with this key; write a note: {write}"))
            }
        }
    }
}

fn print_segment(out: &mut impl std::io::Write, stat: &Stat) -> std::io::Result<()> {
    let page = PageSize::system();
    let pages = page.round_up(stat.size).unwrap_or(stat.size) / page.bytes();
    let pages = show::count(pages as u64, "page", "pages");
    let times = show::count(stat.attached, "time", "times");
    writeln!(out, "{STRONG}segment{STRONG:#} {KERNEL}{}{KERNEL:#}", stat.id)?;
    writeln!(out, "{}", row("key", stat.key))?;
    writeln!(out, "{}", row("size", format_args!("{} bytes, {pages} of memory", stat.size)))?;
    writeln!(out, "{}", row("mode", stat.mode))?;
    writeln!(out, "{}", row("owner", user_name(stat.owner)))?;
    let creator = format!("{}, {}", user_name(stat.creator), process(stat.creator_pid));
    writeln!(out, "{}", row("creator", creator))?;
    writeln!(out, "{}", row("attached", format_args!("{KERNEL}{times}{KERNEL:#} (nattch)")))?;
    let last = format!(
        "attach {}, detach {}, by {}",
        ago(stat.attached_at),
        ago(stat.detached_at),
        process(stat.last_pid)
    );
    writeln!(out, "{}", row("last", last))?;
    writeln!(out, "{}", row("changed", ago(stat.changed_at)))?;
    if stat.marked_for_removal {
        writeln!(out, "{}", row("removal", "marked: it goes when the last process detaches"))?;
    }
    Ok(())
}

fn print_lock(out: &mut impl std::io::Write, id: i32, state: &LockState) -> std::io::Result<()> {
    writeln!(out, "{STRONG}semaphores{STRONG:#} {KERNEL}{id}{KERNEL:#}")?;
    let lock = match (state.held, state.last_pid) {
        (true, pid) => format!("held by {}", process(pid)),
        (false, 0) => "free, and never held".into(),
        (false, pid) => format!("free, last held by {}", process(pid)),
    };
    writeln!(out, "{}", row("lock", format_args!("{KERNEL}{lock}{KERNEL:#}")))?;
    let meaning = match (state.sequence.is_multiple_of(2), state.held) {
        (true, _) => "even: the note is whole",
        (false, true) => "odd: a write is under way",
        (false, false) => "odd, and the lock is free: the last writer died in the middle",
    };
    let sequence = state.sequence;
    writeln!(out, "{}", row("sequence", format_args!("{sequence} {FAINT}({meaning}){FAINT:#}")))?;
    if state.waiting > 0 {
        writeln!(out, "{}", row("waiting", show::count(state.waiting, "writer", "writers")))?;
    }
    Ok(())
}

fn lock_json(id: i32, state: &LockState) -> Value {
    json!({
        "id": id,
        "held": state.held,
        "last_pid": state.last_pid,
        "sequence": state.sequence,
        "whole": state.sequence.is_multiple_of(2),
        "waiting": state.waiting,
    })
}
