//! A whole file, replaced: all of the old or all of the new, whatever happens on the way.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use ipc_common::{Error, Result};
use mmap_file::lock;
use nix::unistd::fsync;

use super::attributes::Old;
use super::place::Place;
use super::temporary::Temporary;

/// What a name leads to after an attempt to replace it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The file as it was, or nothing if there was none. Nothing was changed, and nothing is left
    /// over.
    Old,
    /// The new file, whole, for every process. Only that its *name* is on the disk could not be
    /// made sure of: after a power cut it may be the old one again (whole, too).
    New,
}

/// A file was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "other names of the old file may still lead to it"]
pub struct Replaced {
    /// There was none before.
    pub created: bool,
    /// How many other names (hard links) the old file had. They lead to the old content still.
    pub other_names: u64,
}

/// A file was not replaced, or not for certain.
#[derive(Clone, Debug)]
pub struct NotReplaced {
    content: Content,
    error: Error,
}

impl NotReplaced {
    /// Which content is in place.
    pub fn content(&self) -> Content {
        self.content
    }

    /// What went wrong.
    pub fn error(&self) -> &Error {
        &self.error
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Content::Old => "the old content is in place",
            Content::New => "the new content is in place, but a power cut may undo that",
        })
    }
}

impl fmt::Display for NotReplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.error, self.content)
    }
}

impl std::error::Error for NotReplaced {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// For those who pass it on: the remedy then says which content is in place.
impl From<NotReplaced> for Error {
    fn from(not: NotReplaced) -> Error {
        let remedy = format!("{}; {}", not.error.remedy(), not.content);
        not.error.with_remedy(remedy)
    }
}

/// Replaces the file's content, or creates the file, so that whoever opens it, now or after a power
/// cut at any moment, has all of the old or all of the new. On return the new is on the disk.
///
/// The new file has the old one's owner, group, mode (without set-user-ID and set-group-ID), access
/// control list and `user.` attributes; one that was not there before gets `mode`, subject to the
/// umask. It is another file all the same: who has the old one open or mapped keeps the old one,
/// and so do its other names. Of two who replace at the same time, one wins.
///
/// # Errors
///
/// [`NotReplaced`], which says what is in place. `ELOOP`: the name is a symbolic link, and is not
/// followed; `EPERM`: the file belongs to somebody else, and its replacement would not; `EBUSY`: it
/// is a mount point; `EISDIR`, `ENODEV`: no regular file; `ENOSPC`, `EDQUOT`, `EIO`, `EROFS`,
/// `EACCES` and others of open(2), write(2), fsync(2), linkat(2), rename(2).
///
/// ```
/// use page_sync::durable::{Content, replace};
/// # let folder = std::env::temp_dir().join(format!("page-replace-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// # let path = folder.join("file");
///
/// assert!(replace(&path, 0o600, b"old")?.created);
/// assert!(!replace(&path, 0o600, b"new, and longer")?.created);
/// assert_eq!(std::fs::read(&path)?, b"new, and longer");
///
/// let error = replace(&folder, 0o600, b"no file").unwrap_err();
/// assert_eq!(error.content(), Content::Old);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn replace(
    path: impl AsRef<Path>,
    mode: u32,
    contents: &[u8],
) -> std::result::Result<Replaced, NotReplaced> {
    let path = path.as_ref();
    replace_with(path, mode, |mut file| {
        file.write_all(contents)
            .map_err(|error| Error::from_io("write", &error, path.display().to_string()))
    })
}

/// As [`replace`], with content that `fill` writes into the new file. It may take its time: until
/// it has returned, nobody sees anything, and if it fails, nothing has happened.
///
/// # Errors
///
/// As for [`replace`], and those of `fill`.
pub fn replace_with(
    path: impl AsRef<Path>,
    mode: u32,
    fill: impl FnOnce(&File) -> Result<()>,
) -> std::result::Result<Replaced, NotReplaced> {
    let old = |error| NotReplaced { content: Content::Old, error };
    let place = Place::of(path.as_ref()).map_err(old)?;
    let replaced = exchange(&place, mode, Temporary::new, fill).map_err(old)?;
    place.sync().map_err(|error| NotReplaced { content: Content::New, error })?;
    Ok(replaced)
}

/// All but the last step. Whatever fails here, the name leads where it led before.
fn exchange<'a>(
    place: &'a Place<'a>,
    mode: u32,
    temporary: fn(&'a Place<'a>, u32) -> Result<Temporary<'a>>,
    fill: impl FnOnce(&File) -> Result<()>,
) -> Result<Replaced> {
    let old = Old::at(place)?;
    // Until it has the old one's mode: nobody else's.
    let mut new = temporary(place, if old.is_some() { 0o600 } else { mode })?;
    // For `leftovers`: somebody is still at it.
    let file = new.file().try_clone();
    let file =
        file.map_err(|error| Error::from_io("dup", &error, place.path.display().to_string()))?;
    let lock = lock::try_lock(&file)?;
    if let Some(old) = &old {
        old.give_owner(new.file(), place)?;
    }
    fill(new.file())?;
    if let Some(old) = &old {
        old.give_rights(new.file(), place)?;
    }
    new.link()?;
    // With a name already: else a link count of 0 might be what is on the disk.
    fsync(new.file()).map_err(|errno| place.error("fsync", errno))?;
    new.rename()?;
    drop(lock);
    Ok(Replaced { created: old.is_none(), other_names: old.map_or(0, |old| old.other_names()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    use ipc_common::Errno;

    /// With O_TMPFILE, and as on a file system that has none: the same promises.
    fn both_ways(test: impl Fn(&Path, &dyn Fn(&dyn Fn(&File) -> Result<()>) -> Result<Replaced>)) {
        for way in 0..2 {
            let folder = testkit::folder();
            let path = folder.file("file");
            test(&path, &|fill| {
                let place = Place::of(&path)?;
                match way {
                    0 => exchange(&place, 0o640, Temporary::new, fill),
                    _ => exchange(&place, 0o640, Temporary::with_hidden_name, fill),
                }
            });
            let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
            assert!(left.iter().all(|entry| entry.file_name() == "file"), "{left:?}");
        }
    }

    #[test]
    fn the_content_is_replaced_and_the_mode_is_kept() {
        use std::os::unix::fs::PermissionsExt;
        both_ways(|path, replace| {
            let fill = |mut file: &File| {
                assert!(super::super::leftovers(path).unwrap().is_empty(), "we are still at it");
                file.write_all(b"new").map_err(|e| Error::from_io("write", &e, ""))
            };
            assert!(replace(&fill).unwrap().created);
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o027, 0);
            fs::set_permissions(path, fs::Permissions::from_mode(0o604)).unwrap();
            assert!(!replace(&fill).unwrap().created);
            assert_eq!(fs::read(path).unwrap(), b"new");
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o604);
        });
    }

    #[test]
    fn a_failure_on_the_way_changes_and_leaves_nothing() {
        both_ways(|path, replace| {
            fs::write(path, "old").unwrap();
            let fails = |_: &File| Err(Error::new("write", Errno::ENOSPC, ""));
            assert_eq!(replace(&fails).unwrap_err().errno(), Errno::ENOSPC);
            assert_eq!(fs::read(path).unwrap(), b"old");
        });
    }
}
