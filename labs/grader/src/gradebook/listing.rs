//! What was handed in, and what lies beside it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ipc_common::{Error, Result};
use serde::Serialize;

use super::HandIn;
use super::handin::Kind;
use crate::shown;

/// Something that lies among the hand-ins and is not graded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// What it is called, on one line.
    pub name: String,
    /// Why it is not.
    pub why: String,
}

/// Why there are no sources to be had.
pub(super) enum Not {
    /// It is somebody's, very likely, and packed so that it cannot be read: who grades has to look.
    Taken(&'static str),
    /// Nobody's: a list of names, a note.
    HandedIn(&'static str),
}

/// What lies in a folder of hand-ins, sorted by name.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// What was handed in.
    pub handins: Vec<HandIn>,
    /// What was handed in as well, and cannot be read: it has no points, and no zero either.
    pub not_taken: Vec<Ignored>,
    /// The rest, but for what the system itself puts there (`.DS_Store`).
    pub ignored: Vec<Ignored>,
}

/// Looks what was handed in.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn list(folder: &Path) -> Result<Listing> {
    let failed = |error| Error::from_io("readdir", &error, folder.display().to_string());
    let mut names: Vec<OsString> = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<std::io::Result<_>>()
        .map_err(failed)?;
    names.sort_unstable();
    let mut listing = Listing::default();
    for name in names {
        if name.as_bytes().starts_with(b".") || name == "__MACOSX" {
            continue;
        }
        let path = folder.join(&name);
        match kind(&path) {
            Ok(kind) => listing.handins.push(HandIn { path, kind }),
            Err(not) => {
                let (list, why) = match not {
                    Not::Taken(why) => (&mut listing.not_taken, why),
                    Not::HandedIn(why) => (&mut listing.ignored, why),
                };
                let name = shown::line(name.as_bytes(), 200);
                list.push(Ignored { name, why: why.into() });
            }
        }
    }
    Ok(listing)
}

/// What is at a path, to who takes hand-ins.
pub(super) fn kind(path: &Path) -> std::result::Result<Kind, Not> {
    let found = fs::symlink_metadata(path).map_err(|_| Not::Taken("it cannot be looked at"))?;
    let end = path.extension().map(|end| end.as_bytes().to_ascii_lowercase());
    match end.as_deref() {
        _ if found.is_dir() => Ok(Kind::Folder),
        // It may lead to the solution, or to another's work.
        _ if found.is_symlink() => {
            Err(Not::Taken("it is a symbolic link: put the files themselves there"))
        }
        _ if !found.is_file() => Err(Not::Taken("it is neither a folder nor a file")),
        Some(b"zip") => Ok(Kind::Zip),
        Some(b"rs") => Ok(Kind::Source),
        Some(
            b"gz" | b"tgz" | b"bz2" | b"tbz2" | b"xz" | b"txz" | b"zst" | b"lz4" | b"tar" | b"7z"
            | b"rar",
        ) => Err(Not::Taken("only zips are read: unpack it, or make a zip of it")),
        _ => Err(Not::HandedIn("it is neither a folder nor a zip")),
    }
}

impl Listing {
    /// Names that several hand-ins have: a folder and a zip of one person, perhaps.
    pub fn names_of_several(&self) -> Vec<String> {
        let mut names: Vec<String> = self.handins.iter().map(HandIn::name).collect();
        names.sort_unstable();
        let mut several: Vec<String> =
            names.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0].clone()).collect();
        several.dedup();
        several
    }
}
