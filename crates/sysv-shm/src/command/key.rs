//! `sysv-shm key`: what ftok makes a key of.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use ipc_common::Project;
use ipc_common::cli::style::FAINT;
use ipc_common::cli::{Failure, out};
use ipc_common::key::ftok;
use serde_json::json;
use sysv_shm::note;

/// Show the key that ftok makes of a file, and which bits came from where
///
/// 8 bits are the project's, 8 the device's, 16 the inode's; the rest of these numbers is thrown
/// away. So files collide, and saving a file by renaming a new one over it changes the key.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sysv-shm key                     your own key, which the other commands use
  sysv-shm key /etc/hostname R
  sysv-shm key . 0x1aa             the same key as project 0xaa

Exit codes: 0 shown, 1 failed (no such file), 2 wrong usage.")]
pub struct Key {
    /// The file; without it, the one behind your own key
    path: Option<PathBuf>,
    /// The project: a letter or a number
    #[arg(default_value = "R")]
    proj: Project,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Key {
    pub fn run(self) -> Result<(), Failure> {
        let (path, made) = match self.path {
            Some(path) => {
                let made = ftok(&path, self.proj)?;
                (path, made)
            }
            None => note::own_key(self.proj)?,
        };
        let mut out = out();
        if self.json {
            let object = json!({
                "path": path.display().to_string(),
                "key": made.key().to_string(),
                "project": made.project().number(),
                "project_bits": made.project().byte(),
                "device": made.device(),
                "device_bits": made.device_bits(),
                "inode": made.inode(),
                "inode_bits": made.inode_bits(),
                "lost_bits": made.lost_bits(),
            });
            writeln!(out, "{object}")?;
        } else {
            writeln!(out, "{FAINT}{}{FAINT:#}", path.display())?;
            writeln!(out, "{made}")?;
        }
        Ok(())
    }
}
