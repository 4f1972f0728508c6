//! One hand-in: a folder, a zip or a source file, with a name that a stranger chose.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::archive;
use super::listing::{Not, kind, list};
use super::root::{self, Root};
use crate::build::{self, Refused, Submission};
use crate::rubric::Rubric;
use crate::shown;

/// Something that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandIn {
    /// Where it lies.
    pub path: PathBuf,
    pub(super) kind: Kind,
}

/// What it is to who takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    Zip,
    Source,
}

impl HandIn {
    /// What lies at a path, taken as it would be from among a class's hand-ins.
    pub fn at(path: &Path, rubric: &Rubric) -> Submission {
        match kind(path) {
            Ok(kind) => HandIn { path: path.to_owned(), kind }.take(rubric),
            Err(Not::Taken(why)) => {
                let name = path.file_name().unwrap_or_default();
                let refused = Refused::of(&shown::line(name.as_bytes(), 200), why);
                Submission::Taken(name.into(), Err(refused))
            }
            // A source, by whatever name: whoever names it knows.
            Err(Not::HandedIn(_)) => Submission::File(path.to_owned()),
        }
    }

    /// What it is called, without the `.zip`, on one line of a terminal.
    pub fn name(&self) -> String {
        let name = match self.kind {
            Kind::Folder => self.path.file_name(),
            Kind::Zip | Kind::Source => self.path.file_stem(),
        };
        shown::line(name.unwrap_or_default().as_bytes(), 200)
    }

    /// A name for its folder in the report: one that no other hand-in gets, and that leads nowhere.
    pub fn folder_name(&self) -> String {
        let bytes = self.path.file_name().unwrap_or_default().as_bytes();
        let mut safe = String::new();
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                let plain = c.is_alphanumeric() || c == '_' || c == ' ' && !safe.is_empty();
                if plain || !safe.is_empty() && matches!(c, '-' | '.' | '@' | '+' | ',') {
                    safe.push(c);
                } else {
                    let mut bytes = [0; 4];
                    let bytes = c.encode_utf8(&mut bytes).bytes();
                    bytes.for_each(|byte| safe.push_str(&format!("%{byte:02X}")));
                }
            }
            chunk.invalid().iter().for_each(|byte| safe.push_str(&format!("%{byte:02X}")));
        }
        // A name has at most 255 bytes, and so had this one before.
        if safe.len() > 200 {
            let mut hasher = DefaultHasher::new();
            hasher.write(bytes);
            let cut = safe.char_indices().map(|(at, _)| at).take_while(|at| *at <= 180).last();
            safe = format!("{}%{:016X}", &safe[..cut.unwrap_or_default()], hasher.finish());
        }
        safe
    }

    /// Its files, or why they cannot be had.
    pub fn take(&self, rubric: &Rubric) -> Submission {
        let sources = match self.kind {
            Kind::Zip => archive::take(&self.path, rubric),
            Kind::Source => build::take(&Submission::File(self.path.clone()), &rubric.files),
            Kind::Folder => self.take_from_folder(rubric),
        };
        // Only the name: where the class's files lie on this machine is nobody's business.
        Submission::Taken(self.path.file_name().unwrap_or_default().into(), sources)
    }

    fn take_from_folder(&self, rubric: &Rubric) -> Result<Vec<(String, String)>, Refused> {
        let first = rubric.files.first().map_or("", String::as_str);
        // One that may not be read is not one in which nothing is.
        let entries = fs::read_dir(&self.path).map_err(|e| Refused::by_error(first, &e))?;
        let tops = entries
            .take(1000)
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter_map(|entry| entry.file_name().into_string().ok());
        let tops: Vec<String> = tops.collect();
        let exists = |file: &str| is_there(&self.path, Path::new(file));
        match root::find(first, &rubric.id, &tops, &exists) {
            Some(Root::File(file)) => {
                build::take(&Submission::File(self.path.join(file)), &rubric.files)
            }
            Some(Root::Below(folder)) => {
                build::take(&Submission::Folder(self.path.join(folder)), &rubric.files)
            }
            None => self.take_the_only_file(rubric),
        }
    }

    /// What learning platforms make of one file: a folder with a name for each person, and the file in
    /// there.
    fn take_the_only_file(&self, rubric: &Rubric) -> Result<Vec<(String, String)>, Refused> {
        let inner = list(&self.path).unwrap_or_default();
        let files: Vec<&HandIn> =
            inner.handins.iter().filter(|one| one.kind != Kind::Folder).collect();
        match (&files[..], &inner.not_taken[..]) {
            ([file], _) if file.kind == Kind::Zip => archive::take(&file.path, rubric),
            ([file], _) => build::take(&Submission::File(file.path.clone()), &rubric.files),
            // It cannot be looked at, so nobody knows what it is worth.
            ([], [packed, ..]) => {
                let refused = Refused::of(&packed.name, packed.why.clone());
                Err(Refused { is_graders: true, ..refused })
            }
            // It is refused there, with the reason.
            _ => build::take(&Submission::Folder(self.path.clone()), &rubric.files),
        }
    }
}

/// Whether there is something of that name, with no link on the way to it. What it is, is looked at
/// when it is opened.
fn is_there(folder: &Path, file: &Path) -> bool {
    let mut path = folder.to_owned();
    file.parent().into_iter().flat_map(Path::components).all(|part| {
        path.push(part);
        fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir())
    }) && fs::symlink_metadata(folder.join(file)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::ffi::OsStr;

    use super::*;

    fn named(name: &[u8]) -> HandIn {
        HandIn { path: Path::new("/in").join(OsStr::from_bytes(name)), kind: Kind::Folder }
    }

    #[test]
    fn a_folder_name_leads_nowhere_and_is_nobody_elses() {
        let long = [b'x'; 250];
        let longer = [b"x".repeat(249), b"y".to_vec()].concat();
        let names: [&[u8]; 14] = [
            b"anna",
            b"=cmd",
            b"%3Dcmd",
            b"-rf",
            b" a",
            b"..",
            b"...",
            b".x",
            b"a\nb",
            b"\xff",
            b"%FF",
            b"a\\..\\b",
            &long,
            &longer,
        ];
        let folders: Vec<String> = names.iter().map(|name| named(name).folder_name()).collect();
        assert_eq!(folders.iter().collect::<HashSet<_>>().len(), names.len(), "{folders:?}");
        for folder in &folders {
            let fine = |c: char| c.is_alphanumeric() || "%_-. ".contains(c);
            assert!(folder.len() <= 255 && folder.chars().all(fine), "{folder}");
            assert!(!folder.starts_with(['.', '-', '=', ' ']), "{folder}");
        }
        assert_eq!(named("Zoë M.-1".as_bytes()).folder_name(), "Zoë M.-1");
    }
}
