//! Removing files of a student's, which may be made to resist.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Removes a folder and all below it: folders without permissions, and ten thousand of them one in
/// another, too, for which the usual recursion has neither the stack nor the descriptors. Nobody may
/// be at work in there any more.
///
/// # Errors
///
/// The first one, if something is still there.
pub(crate) fn remove_tree(top: &Path) -> io::Result<()> {
    empty(top)?;
    fs::remove_dir(top)
}

/// Removes all that is below a folder, and leaves the folder.
///
/// # Errors
///
/// The first one, if something is still there.
pub(crate) fn empty(top: &Path) -> io::Result<()> {
    // Its owner may have locked himself out.
    fs::set_permissions(top, Permissions::from_mode(0o700))?;
    let mut folders = vec![top.to_owned()];
    let mut emptied = Vec::new();
    let mut moved = 0_u64;
    while let Some(folder) = folders.pop() {
        // All read first: what is moved up into the top must not be met there again.
        let entries: Vec<fs::DirEntry> = fs::read_dir(&folder)?.collect::<io::Result<_>>()?;
        for entry in entries {
            let path = entry.path();
            if !entry.file_type()?.is_dir() {
                fs::remove_file(&path)?;
                continue;
            }
            // Moved up to the top, no folder ever lies deep. (A folder that is moved has to be
            // writable itself: its `..` changes.)
            fs::set_permissions(&path, Permissions::from_mode(0o700))?;
            let up = loop {
                moved += 1;
                let up = top.join(format!(".{moved}"));
                match fs::symlink_metadata(&up) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => break up,
                    _ => {}
                }
            };
            fs::rename(&path, &up)?;
            folders.push(up);
        }
        emptied.push(folder);
    }
    // The top one comes first.
    emptied.iter().skip(1).try_for_each(fs::remove_dir)
}

/// Removes what a run's user left in the places that everybody may write to. For kernels without
/// Landlock, which otherwise keeps it out of there.
pub(crate) fn of_user(id: u32) -> Vec<String> {
    let mut removed = Vec::new();
    for place in ["/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock"] {
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(found) = fs::symlink_metadata(&path) else { continue };
            if found.uid() != id {
                continue;
            }
            let gone = match found.is_dir() {
                true => remove_tree(&path),
                false => fs::remove_file(&path),
            };
            if gone.is_ok() {
                removed.push(format!("file {}", path.display()));
            }
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_that_resists_goes() {
        let top = std::env::temp_dir().join(format!("ipc-course-tree-{}", std::process::id()));
        fs::create_dir(&top).unwrap();
        std::os::unix::fs::symlink("/", top.join("link")).unwrap();
        fs::write(top.join(".1"), "in the way").unwrap();
        fs::create_dir(top.join("closed")).unwrap();
        fs::write(top.join("closed/file"), "x").unwrap();
        fs::set_permissions(top.join("closed"), Permissions::from_mode(0o000)).unwrap();
        // Deeper than a path may be long.
        let mut inner = top.join("deep");
        fs::create_dir(&inner).unwrap();
        for _ in 0..50 {
            let outer = top.join("outer");
            fs::create_dir(&outer).unwrap();
            fs::rename(&inner, outer.join("d".repeat(200))).unwrap();
            fs::rename(&outer, &inner).unwrap();
            inner = top.join("deep");
        }
        fs::set_permissions(&top, Permissions::from_mode(0o000)).unwrap();
        remove_tree(&top).unwrap();
        assert!(!top.exists());
    }
}
