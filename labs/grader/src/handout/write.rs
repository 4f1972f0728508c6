//! Putting it together: beside the place where it is to be, and there all at once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ipc_common::{Errno, Error, Result};

use super::given::{self, Way};
use super::{manifest, rubric, source, text};
use crate::student::STARTER;
use crate::supervisor::Course;

/// A handout that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handout {
    /// Its labs.
    pub labs: Vec<String>,
    /// How many files it has.
    pub files: usize,
}

/// Writes the handout of a course into a new folder, or an empty one. It is there when it is whole.
///
/// # Errors
///
/// `EEXIST` if there is something in the folder; `EINVAL` if it would lie in a folder that is given
/// away, or something in the course is not understood; those of reading and writing.
pub fn make(course: &Course, out: &Path) -> Result<Handout> {
    let refused = |errno, remedy: &str| {
        let name = out.display().to_string();
        Err(Error::refused("lab handout", errno, name).with_remedy(remedy.to_owned()))
    };
    let failed = |call| move |error| Error::from_io(call, &error, out.display().to_string());
    match fs::read_dir(out).map(|mut entries| entries.next().is_some()) {
        Ok(true) => return refused(Errno::EEXIST, "there is something in it: name a new folder"),
        Ok(false) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed("open")(error)),
    }
    let out = std::path::absolute(out).map_err(failed("realpath"))?;
    let (Some(above), Some(name)) = (out.parent(), out.file_name()) else {
        return refused(Errno::EINVAL, "it has no name: name a new folder");
    };
    fs::create_dir_all(above).map_err(failed("mkdir"))?;
    let above = fs::canonicalize(above).map_err(failed("realpath"))?;
    let home = fs::canonicalize(course.folder()).map_err(failed("realpath"))?;
    if let Ok(inside) = above.join(name).strip_prefix(&home)
        && given::enters(inside)
    {
        return refused(Errno::EINVAL, "it would be part of the next handout: name another place");
    }
    let mut new = name.to_owned();
    new.push(format!(".{}.new", std::process::id()));
    let beside = Beside(above.join(new));
    let files = copy(&home, &beside.0)? + starters(course, &beside.0)?;
    prune_lock_file(&beside.0)?;
    // An empty folder is replaced, one that has been filled meanwhile is not.
    fs::rename(&beside.0, above.join(name)).map_err(failed("rename"))?;
    Ok(Handout { labs: course.labs(), files })
}

/// The folder in which it grows; removed if it does not get to its end.
struct Beside(PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        if self.0.exists() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// Copies what is given. Returns how many files.
fn copy(from: &Path, to: &Path) -> Result<usize> {
    let mut files = Vec::new();
    list(from, Path::new(""), &mut files)?;
    let mut gone: BTreeSet<PathBuf> = BTreeSet::new();
    let mut written = Vec::new();
    // A module's own file comes before those that it declares.
    files.sort_by_key(|file| (file.iter().count(), !is_head(file), file.clone()));
    for file in files {
        let Some(way) = given::way(&file) else { continue };
        if file.ancestors().any(|part| gone.contains(part)) {
            continue;
        }
        let path = from.join(&file);
        let refused = |what: String| {
            Error::refused("lab handout", Errno::EINVAL, file.display().to_string())
                .with_remedy(what)
        };
        let read = || {
            fs::read_to_string(&path)
                .map_err(|error| Error::from_io("open", &error, path.display().to_string()))
        };
        let text = match way {
            Way::Whole => None,
            Way::Rubric => Some(rubric::without_hidden(&read()?).map_err(refused)?),
            Way::Manifest => Some(manifest::without_features(&read()?)),
            Way::Text => Some(text::for_everybody(&read()?)),
            Way::Source => {
                let source = source::without_features(&read()?).map_err(refused)?;
                for module in source.gone {
                    let folder = folder_of_modules(&file).join(module);
                    gone.insert(folder.with_extension("rs"));
                    gone.insert(folder);
                }
                Some(source.text)
            }
        };
        written.push((file, path, text));
    }
    for (file, path, text) in &written {
        let to = to.join(file);
        let failed = |call| move |error| Error::from_io(call, &error, file.display().to_string());
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(failed("mkdir"))?;
        }
        match text {
            Some(text) => fs::write(&to, text).map_err(failed("write"))?,
            None => drop(fs::copy(path, &to).map_err(failed("write"))?),
        }
    }
    Ok(written.len())
}

/// A copy of every lab's files, for `lab reset`. One that was solved in its place is refused.
fn starters(course: &Course, to: &Path) -> Result<usize> {
    let mut written = 0;
    for id in course.labs() {
        let lab = course.lab(&id)?;
        let mut is_open = false;
        for file in &lab.rubric.files {
            let from = lab.folder.join(file);
            let text = fs::read_to_string(&from)
                .map_err(|error| Error::from_io("open", &error, from.display().to_string()))?;
            is_open |= text.contains("todo!(");
            let path = to.join("labs").join(&id).join(STARTER).join(file);
            let failed = |error| Error::from_io("write", &error, path.display().to_string());
            path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
            fs::write(&path, text).map_err(failed)?;
            written += 1;
        }
        if !is_open {
            let name = lab.folder.display().to_string();
            return Err(Error::refused("lab handout", Errno::EINVAL, name).with_remedy(
                "there is no todo!(…) in its files: is it a solution by now? `lab reset` has the \
                 starter",
            ));
        }
    }
    Ok(written)
}

/// All regular files below the folders that are entered, by their paths in the course. No link is
/// followed.
fn list(course: &Path, below: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let folder = course.join(below);
    let failed = |error| Error::from_io("readdir", &error, folder.display().to_string());
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = below.join(entry.file_name());
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() && given::enters(&path) {
            list(course, &path, files)?;
        } else if kind.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// Whether it is the file of a folder's module.
fn is_head(file: &Path) -> bool {
    file.file_name().is_some_and(|name| ["lib.rs", "main.rs", "mod.rs"].iter().any(|n| name == *n))
}

/// Where the modules lie that a file declares.
fn folder_of_modules(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    if is_head(file) {
        folder.to_owned()
    } else {
        folder.join(file.file_stem().unwrap_or_default())
    }
}

/// Without crates that nobody needs any more; the others keep their versions. A lock file that does
/// not fit would be refused later, when the labs' crates are built as it says. And cargo has to find
/// whatever the manifests name.
fn prune_lock_file(folder: &Path) -> Result<()> {
    let update = ["update", "--workspace", "--quiet"];
    cargo(folder, &[&update[..], &["--offline"]].concat())
        // Without a network all may be there; if it is not, it is asked for.
        .or_else(|_| cargo(folder, &update))?;
    cargo(folder, &["metadata", "--no-deps", "--format-version=1", "--offline"])
}

fn cargo(folder: &Path, arguments: &[&str]) -> Result<()> {
    let said = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .current_dir(folder)
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .map_err(|error| Error::from_io("execve", &error, "cargo"))?;
    if said.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&said.stderr);
    let call = format!("cargo {}", arguments[0]);
    Err(Error::refused("lab handout", Errno::EINVAL, call).with_remedy(words.trim().to_owned()))
}
