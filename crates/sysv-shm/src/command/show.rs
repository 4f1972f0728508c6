//! Users, times and processes, as people read them.

use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr, stdin};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ipc_common::cli::style::{FAINT, STRONG};
use serde_json::{Value, json};
use sysv_shm::Stat;

/// `1 process`, `2 processes`.
pub fn count(number: impl Into<u64>, one: &str, many: &str) -> String {
    match number.into() {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

/// A process, and whether it still runs. The number may be another process's by now.
pub fn process(pid: i32) -> String {
    match pid {
        0 => "none".into(),
        pid if Path::new(&format!("/proc/{pid}")).exists() => format!("process {pid}"),
        pid => format!("process {pid}, which has ended"),
    }
}

/// How long ago something was. The kernel counts in whole seconds.
pub fn ago(moment: Option<SystemTime>) -> String {
    let Some(moment) = moment else { return "never".into() };
    let seconds = moment.elapsed().unwrap_or_default().as_secs();
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7_200 => format!("{} min ago", seconds / 60),
        7_200..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// A line of a table: what, and its value.
pub fn row(what: &str, value: impl Display) -> String {
    format!("  {what:<11}{value}")
}

/// A segment as a JSON object; times in seconds since 1970, `null` for never.
pub fn segment(stat: &Stat) -> Value {
    let seconds = |moment: Option<SystemTime>| {
        moment.and_then(|moment| Some(moment.duration_since(UNIX_EPOCH).ok()?.as_secs()))
    };
    json!({
        "id": stat.id,
        "key": stat.key.to_string(),
        "size": stat.size,
        "mode": stat.mode.to_string(),
        "owner": stat.owner.as_raw(),
        "group": stat.group.as_raw(),
        "creator": stat.creator.as_raw(),
        "creator_group": stat.creator_group.as_raw(),
        "attached": stat.attached,
        "creator_pid": stat.creator_pid,
        "last_pid": stat.last_pid,
        "attached_at": seconds(stat.attached_at),
        "detached_at": seconds(stat.detached_at),
        "changed_at": seconds(stat.changed_at),
        "marked_for_removal": stat.marked_for_removal,
        "locked": stat.locked,
    })
}

/// Says something on standard error, so that it never gets between the notes.
pub fn aside(what: &dyn Display) {
    // What nobody can see is no loss.
    let _ = writeln!(anstream::stderr(), "{FAINT}{what}{FAINT:#}");
}

/// Whether somebody sits there who can type what we suggest. Standard error alone does not tell: a
/// demo's actors have the narrator's, and nobody types to them.
pub fn somebody_types() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Tells somebody at a terminal what to type.
pub fn what_to_type(why: &str, command: &str) {
    if somebody_types() {
        aside(&format_args!("{why} {STRONG}{command}"));
    }
}
