//! One file a command. What they share: the default note, hints that can be typed, complaints.

pub mod demo;
pub mod info;
pub mod int;
pub mod maps;
pub mod private;
pub mod reader;
pub mod writer;

use std::env;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};

use ipc_common::cli::style::{ERROR, FAINT, STRONG};

/// The file that was named, or the user's own note.
fn note_path(named: &Option<PathBuf>) -> ipc_common::Result<PathBuf> {
    match named {
        Some(path) => Ok(path.clone()),
        None => Ok(ipc_common::state::folder()?.join("note")),
    }
}

/// What to type in another terminal, which may be in another folder.
fn command_line(command: &str, named: &Option<PathBuf>) -> String {
    // cargo says so to the programs that it runs.
    let by_cargo = env::var("CARGO_PKG_NAME").is_ok_and(|name| name == env!("CARGO_PKG_NAME"));
    let program = if by_cargo {
        format!("cargo run -p {} --", env!("CARGO_PKG_NAME"))
    } else {
        let this = env::args_os().next().map(PathBuf::from).unwrap_or_default();
        // A bare name was found in the PATH, and will be again.
        let bare = this.components().count() == 1;
        if bare { quoted(&this) } else { quoted(&std::path::absolute(&this).unwrap_or(this)) }
    };
    match named.as_ref().map(|path| std::path::absolute(path).unwrap_or(path.clone())) {
        Some(path) => format!("{program} {command} {}", quoted(&path)),
        None => format!("{program} {command}"),
    }
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

/// A hint on standard error, so that it never gets between the notes.
fn hint(what: &dyn Display, type_this: &str) {
    // A hint that nobody can see is no loss.
    let _ = writeln!(anstream::stderr(), "{FAINT}{what}{FAINT:#} {STRONG}{type_this}{STRONG:#}");
}

/// An error after which the command goes on.
fn complain(error: &dyn Display) {
    let _ = writeln!(anstream::stderr(), "{ERROR}error:{ERROR:#} {error}");
}
