//! Which note is meant: `--key`, `--path`, `--proj`, or the user's own.

use std::path::PathBuf;

use clap::Args;
use ipc_common::cli::{own, typed_path};
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
        let mut line = own(env!("CARGO_PKG_NAME"), name);
        if let Some(key) = self.key {
            line += &format!(" --key {key}");
        }
        if let Some(path) = &self.path {
            line += &format!(" --path {}", typed_path(path));
        }
        if let Some(project) = self.proj {
            line += &format!(" --proj {:#x}", project.number());
        }
        if text.is_empty() { line } else { format!("{line} {text}") }
    }
}

/// A command on the user's own note, as it can be typed.
pub fn on_own_note(command: &str) -> String {
    Naming { key: None, path: None, proj: None }.command(command)
}
