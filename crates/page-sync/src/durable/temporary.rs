//! The new content before it has its name, and what `kill -9` can leave of it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, Result};
use mmap_file::lock;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

use super::place::Place;

/// What all hidden names end in.
const SUFFIX: &str = ".replacement";

/// A file in the folder of the one that it is to replace: without a name, or with a hidden one. The
/// hidden name is removed on drop.
pub(super) struct Temporary<'a> {
    place: &'a Place<'a>,
    file: File,
    hidden: Option<OsString>,
}

impl<'a> Temporary<'a> {
    /// Without a name, where the file system can do that.
    pub fn new(place: &'a Place<'a>, mode: u32) -> Result<Temporary<'a>> {
        let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        match openat(&place.folder, ".", flags, Mode::from_bits_truncate(mode)) {
            Ok(file) => Ok(Temporary { place, file: file.into(), hidden: None }),
            // EISDIR: a kernel or file system that sees only the folder.
            Err(Errno::EOPNOTSUPP | Errno::EISDIR | Errno::EINVAL) => {
                Temporary::with_hidden_name(place, mode)
            }
            Err(errno) => Err(place.error("open", errno)),
        }
    }

    pub fn with_hidden_name(place: &'a Place<'a>, mode: u32) -> Result<Temporary<'a>> {
        let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        loop {
            let name = hidden_name(place.name);
            match openat(&place.folder, name.as_os_str(), flags, Mode::from_bits_truncate(mode)) {
                Ok(file) => return Ok(Temporary { place, file: file.into(), hidden: Some(name) }),
                Err(Errno::EEXIST) => {}
                Err(errno) => return Err(place.error("open", errno)),
            }
        }
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives it a hidden name, if it has none: rename(2) takes names only, and linkat(2) replaces
    /// nothing.
    pub fn link(&mut self) -> Result<()> {
        while self.hidden.is_none() {
            let name = hidden_name(self.place.name);
            // AT_EMPTY_PATH would need a privilege; the way through /proc needs none (open(2)).
            let unnamed = format!("/proc/self/fd/{}", self.file.as_raw_fd());
            let follow = AtFlags::AT_SYMLINK_FOLLOW;
            match linkat(AT_FDCWD, unnamed.as_str(), &self.place.folder, name.as_os_str(), follow) {
                Ok(()) => self.hidden = Some(name),
                Err(Errno::EEXIST) => {}
                Err(errno) => return Err(self.place.error("linkat", errno)),
            }
        }
        Ok(())
    }

    /// Takes over the name, in one step. It has a hidden name.
    pub fn rename(&mut self) -> Result<()> {
        let folder = &self.place.folder;
        let hidden = self.hidden.as_deref().unwrap_or_default();
        renameat(folder, hidden, folder, self.place.name)
            .map_err(|errno| self.place.error("rename", errno))?;
        self.hidden = None;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if let Some(name) = self.hidden.take() {
            let _ = unlinkat(&self.place.folder, name.as_os_str(), UnlinkatFlags::NoRemoveDir);
        }
    }
}

/// `.NAME.<pid>.<nanoseconds>.replacement`, cut so that it is no longer than a name may be.
fn hidden_name(name: &OsStr) -> OsString {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanos = now.map_or(0, |now| now.as_nanos());
    let unique = format!(".{}.{nanos}{SUFFIX}", std::process::id());
    let mut hidden = beginning(name, unique.len());
    hidden.push(unique);
    hidden
}

/// A dot, and as much of the name as leaves room for `more` bytes.
fn beginning(name: &OsStr, more: usize) -> OsString {
    const LONGEST: usize = 255;
    let mut hidden = OsString::from(".");
    hidden.push(OsStr::from_bytes(&name.as_bytes()[..name.len().min(LONGEST - 1 - more)]));
    hidden
}

/// Whether `found` is a hidden name for the file `name`.
fn is_hidden_name(found: &OsStr, name: &OsStr) -> bool {
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let Some(rest) = found.as_bytes().strip_suffix(SUFFIX.as_bytes()) else { return false };
    let mut parts = rest.rsplitn(3, |byte| *byte == b'.');
    let (Some(nanos), Some(pid), Some(start)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let more = found.len() - start.len();
    digits(nanos) && digits(pid) && start == beginning(name, more).as_bytes()
}

/// What replacements of this file have left in its folder that were ended by `kill -9` or by a
/// power cut: files that nobody is at any more, and that may be removed. Looks, and removes
/// nothing.
///
/// One that is still under way holds a lock on its file ([`mmap_file::lock`]), and is not listed.
///
/// # Errors
///
/// Those of open(2) and readdir(3) for the folder.
pub fn leftovers(path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let path = path.as_ref();
    let place = Place::of(path)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let failed = |error| Error::from_io("readdir", &error, parent.display().to_string());
    let mut left = Vec::new();
    for entry in fs::read_dir(parent).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if !is_hidden_name(&name, place.name) {
            continue;
        }
        let found = parent.join(name);
        // One that has gone meanwhile, or is no file that we may read, is no leftover of ours.
        if !fs::symlink_metadata(&found).is_ok_and(|found| found.is_file()) {
            continue;
        }
        let Ok(file) = mmap_file::open_file(&found, mmap_file::Access::Read) else { continue };
        if !lock::is_locked(&file)? {
            left.push(found);
        }
    }
    left.sort();
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_hidden_name_is_recognised_and_no_longer_than_a_name_may_be(
            name in "[^/\0]{1,250}", other in "[a-z.0-9]{1,40}",
        ) {
            let (name, other) = (OsStr::new(&name), OsStr::new(&other));
            prop_assume!(name.len() <= 255);
            let hidden = hidden_name(name);
            prop_assert!(hidden.len() <= 255);
            prop_assert!(is_hidden_name(&hidden, name));
            prop_assert!(other == name || !is_hidden_name(&hidden, other));
            prop_assert!(!is_hidden_name(name, other));
        }
    }

    #[test]
    fn other_hidden_files_are_left_alone() {
        let name = OsStr::new("notes");
        for other in [
            ".notes.swp",
            ".notes.1.replacement",
            ".notes.1.2.new",
            ".notes.x.2.replacement",
            ".notes..2.replacement",
            "notes.1.2.replacement",
            ".note.1.2.replacement",
            ".notes.old.1.2.replacement",
        ] {
            assert!(!is_hidden_name(OsStr::new(other), name), "{other}");
        }
        assert!(is_hidden_name(OsStr::new(".notes.1.2.replacement"), name));
    }
}
