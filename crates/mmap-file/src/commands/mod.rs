//! One file a command. What they share: the default note, hints that can be typed, complaints.

pub mod demo;
pub mod info;
pub mod int;
pub mod maps;
pub mod private;
pub mod reader;
pub mod writer;

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;

use ipc_common::cli::style::{ERROR, FAINT, STRONG};
use ipc_common::cli::{own, typed_path};

/// The file that was named, or the user's own note.
fn note_path(named: &Option<PathBuf>) -> ipc_common::Result<PathBuf> {
    match named {
        Some(path) => Ok(path.clone()),
        None => Ok(ipc_common::state::folder()?.join("note")),
    }
}

/// What to type in another terminal, which may be in another folder.
fn command_line(command: &str, named: &Option<PathBuf>) -> String {
    let line = own(env!("CARGO_PKG_NAME"), command);
    named.as_ref().map_or(line.clone(), |path| format!("{line} {}", typed_path(path)))
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
