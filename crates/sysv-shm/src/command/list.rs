//! `sysv-shm list`: what `ipcs -m` shows.

use std::io::Write as _;

use clap::Args;
use ipc_common::cli::style::{FAINT, STRONG};
use ipc_common::cli::{Failure, out};
use serde_json::{Value, json};
use sysv_shm::{Stat, user_name};

use super::show;

/// The longest name of a user that leaves the table 80 columns wide.
const LONGEST_NAME: usize = 10;

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
        let rows: Vec<[String; 8]> = segments.iter().map(columns).collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([HEAD[column].len()]).max().unwrap_or_default()
        };
        let widths: [usize; 8] = std::array::from_fn(width);
        writeln!(out, "{STRONG}{}{STRONG:#}", line(&HEAD.map(String::from), &widths))?;
        for row in &rows {
            writeln!(out, "{}", line(row, &widths))?;
        }
        if segments.iter().any(|stat| stat.marked_for_removal) {
            writeln!(
                out,
                "{FAINT}marked: marked for removal; it goes when the last process detaches{FAINT:#}"
            )?;
        }
        Ok(())
    }
}

const HEAD: [&str; 8] = ["key", "id", "owner", "mode", "bytes", "nattch", "creator", ""];

fn columns(stat: &Stat) -> [String; 8] {
    [
        stat.key.to_string(),
        stat.id.to_string(),
        shortened(user_name(stat.owner)),
        stat.mode.to_string(),
        stat.size.to_string(),
        stat.attached.to_string(),
        stat.creator_pid.to_string(),
        if stat.marked_for_removal { "marked".into() } else { String::new() },
    ]
}

/// Words to the left, numbers to the right, two blanks between them.
fn line(cells: &[String; 8], widths: &[usize; 8]) -> String {
    let aligned = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
        if matches!(column, 1 | 4..=6) {
            format!("{cell:>width$}")
        } else {
            format!("{cell:<width$}")
        }
    });
    aligned.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

fn shortened(name: String) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name;
    }
    name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_usual_row_fits_80_columns() {
        let cells = [
            "0x00000000".to_owned(),
            i32::MAX.to_string(),
            shortened("systemd-timesync".into()),
            "0644".into(),
            "9999999999999".into(),
            "nattch".into(),
            "4194304".into(),
            "marked".into(),
        ];
        let widths = std::array::from_fn(|column| cells[column].chars().count());
        assert!(line(&cells, &widths).chars().count() <= 80);
    }
}
