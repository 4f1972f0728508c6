//! Which note is meant: `--key`, `--path`, `--proj`, or the user's own.

use std::env;
use std::path::{Path, PathBuf};

use clap::Args;
use ipc_common::key::ftok;
use ipc_common::{Key, Project, Result};
use sysv_shm::note;

/// Which segment is meant.
#[derive(Args, Clone)]
pub struct Naming {
    /// The key itself, as `ipcs` prints it
    #[arg(long, value_name = "KEY", conflicts_with_all = ["path", "proj"])]
    key: Option<Key>,
    /// Make the key from this file, with ftok
    #[arg(long, value_name = "FILE")]
    path: Option<PathBuf>,
    /// The project for ftok: a letter or a number [default: R, as in the lecture]
    #[arg(long, value_name = "PROJ")]
    proj: Option<Project>,
}

impl Naming {
    /// The key.
    pub fn key(&self) -> Result<Key> {
        let project = self.proj.unwrap_or(Project::LECTURE);
        match (&self.key, &self.path) {
            (Some(key), _) => Ok(*key),
            (None, Some(path)) => Ok(ftok(path, project)?.key()),
            (None, None) => Ok(note::own_key(project)?.1.key()),
        }
    }

    /// A command that means the same segment, as it can be typed in another terminal, which may be
    /// in another folder.
    pub fn command(&self, command: &str) -> String {
        let (name, text) = command.split_once(' ').unwrap_or((command, ""));
        let mut line = format!("{} {name}", program());
        if let Some(key) = self.key {
            line += &format!(" --key {key}");
        }
        if let Some(path) = &self.path {
            line += &format!(" --path {}", quoted(&absolute(path)));
        }
        if let Some(project) = self.proj {
            line += &format!(" --proj {:#x}", project.number());
        }
        if text.is_empty() { line } else { format!("{line} {text}") }
    }
}

/// What the user types to start this program.
fn program() -> String {
    let package = env!("CARGO_PKG_NAME");
    // cargo says so to the programs that it runs.
    if env::var("CARGO_PKG_NAME").is_ok_and(|name| name == package) {
        return format!("cargo run -p {package} --");
    }
    let this = env::args_os().next().map(PathBuf::from).unwrap_or_default();
    // A bare name was found in the PATH, and will be again.
    if this.components().count() == 1 { quoted(&this) } else { quoted(&absolute(&this)) }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// For a shell: in quotes if it holds anything that a shell would look at twice.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A command on the user's own note, as it can be typed.
pub fn own(command: &str) -> String {
    Naming { key: None, path: None, proj: None }.command(command)
}
