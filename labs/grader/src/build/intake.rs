//! Taking a submission's files. Whoever hands it in may have put a link to the solution there, a
//! FIFO that nobody writes to, a device, or a gigabyte.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, open, openat};
use nix::sys::stat::Mode;

/// The largest source file that is taken: more than anybody writes by hand.
pub(crate) const LARGEST: u64 = 256 * 1024;

/// Where a submission lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submission {
    /// A folder with the files that the rubric names.
    Folder(PathBuf),
    /// One file, which stands for the first file that the rubric names.
    File(PathBuf),
    /// Already taken from there, out of a zip perhaps: the files that the rubric names, and their
    /// texts; or why they could not be had.
    Taken(PathBuf, Result<Vec<(String, String)>, Refused>),
}

/// Why a submission is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The file, as the rubric names it.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
    /// Whether it is the machine's doing, or the grader's, that it could not be read. If not, it is
    /// the submission's, which then earns nothing.
    pub is_graders: bool,
}

impl Refused {
    /// A file that nobody could have taken.
    pub fn of(file: &str, why: impl Into<String>) -> Refused {
        Refused { file: file.to_owned(), why: why.into(), is_graders: false }
    }

    /// A file that could not be read here and now.
    pub fn by_error(file: &str, error: &io::Error) -> Refused {
        let raw = Errno::from_raw(error.raw_os_error().unwrap_or_default());
        // What a stranger can put there; anything else is about rights, memory or the disk.
        let theirs = [
            Errno::ENOENT,
            Errno::ELOOP,
            Errno::ENOTDIR,
            Errno::EISDIR,
            Errno::ENXIO,
            Errno::ENODEV,
            Errno::ENAMETOOLONG,
        ];
        Refused { file: file.to_owned(), why: words(raw), is_graders: !theirs.contains(&raw) }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.why)
    }
}

impl Submission {
    /// What is at a path: a folder, or else a file.
    pub fn at(path: &Path) -> Submission {
        match std::fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => Submission::Folder(path.into()),
            _ => Submission::File(path.into()),
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        match self {
            Submission::Folder(path) | Submission::File(path) | Submission::Taken(path, _) => path,
        }
    }
}

/// Takes the named files of a submission, and nothing else: their names and texts.
///
/// # Errors
///
/// [`Refused`] for the first file that is missing, is no regular file with one name, is too large,
/// or is no UTF-8.
pub fn take(submission: &Submission, files: &[String]) -> Result<Vec<(String, String)>, Refused> {
    match submission {
        Submission::Taken(_, sources) => sources.clone(),
        Submission::File(path) => {
            let name = files.first().map_or("", String::as_str);
            let (folder, file) = folder_and_name(path).map_err(|why| why.about(name))?;
            let text = read(folder.as_fd(), Path::new(&file)).map_err(|why| why.about(name))?;
            Ok(vec![(name.to_owned(), text)])
        }
        Submission::Folder(path) => {
            let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
            let folder = open(path, flags, Mode::empty())
                .map_err(|errno| Why::from(errno).about(&path.display().to_string()))?;
            let text = |file: &String| {
                let text = read(folder.as_fd(), Path::new(file));
                text.map(|text| (file.clone(), text)).map_err(|why| why.about(file))
            };
            files.iter().map(text).collect()
        }
    }
}

/// Why a file is not taken: what is wrong with it, or what the kernel said.
enum Why {
    Wrong(String),
    Failed(io::Error),
}

impl Why {
    fn about(self, file: &str) -> Refused {
        match self {
            Why::Wrong(why) => Refused::of(file, why),
            Why::Failed(error) => Refused::by_error(file, &error),
        }
    }
}

impl From<Errno> for Why {
    fn from(errno: Errno) -> Why {
        Why::Failed(errno.into())
    }
}

impl From<String> for Why {
    fn from(why: String) -> Why {
        Why::Wrong(why)
    }
}

/// A single file is named by who grades, so the folders on the way to it are trusted.
fn folder_and_name(path: &Path) -> Result<(OwnedFd, std::ffi::OsString), Why> {
    let name = path.file_name().ok_or_else(|| "it has no name".to_owned())?.to_owned();
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    Ok((openat(AT_FDCWD, folder, flags, Mode::empty())?, name))
}

/// Folder by folder, so that no link is followed on the way, either; and without waiting for the
/// other end of a FIFO.
fn read(folder: std::os::fd::BorrowedFd<'_>, file: &Path) -> Result<String, Why> {
    let common = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut inner: Option<OwnedFd> = None;
    let parent = file.parent().into_iter().flat_map(Path::components);
    for part in parent {
        let from = inner.as_ref().map_or(folder, AsFd::as_fd);
        let next = openat(from, part.as_os_str(), common | OFlag::O_DIRECTORY, Mode::empty());
        inner = Some(next?);
    }
    let name = file.file_name().ok_or_else(|| "it has no name".to_owned())?;
    let from = inner.as_ref().map_or(folder, AsFd::as_fd);
    let flags = common | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = File::from(openat(from, name, flags, Mode::empty())?);
    let found = file.metadata().map_err(Why::Failed)?;
    if !found.is_file() {
        return Err("it is no regular file".to_owned().into());
    }
    if found.nlink() != 1 {
        return Err(format!("it has {} names (hard links)", found.nlink()).into());
    }
    if found.len() > LARGEST {
        return Err(format!("it has {} bytes; {LARGEST} at most are taken", found.len()).into());
    }
    let mut bytes = Vec::new();
    // It may be growing this very moment.
    let read = file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(Why::Failed)?;
    if read as u64 > LARGEST {
        return Err(format!("it grew beyond {LARGEST} bytes while it was read").into());
    }
    String::from_utf8(bytes).map_err(|error| {
        format!("it is no UTF-8: byte {} is wrong", error.utf8_error().valid_up_to()).into()
    })
}

fn words(errno: Errno) -> String {
    match errno {
        Errno::ENOENT => "it is missing".into(),
        Errno::ELOOP | Errno::ENOTDIR => "it is, or lies behind, a symbolic link or a file".into(),
        Errno::ENXIO => "it is no regular file".into(),
        errno => format!("{errno}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::random::Seed;
    use crate::sandbox::files::remove_tree;

    const LIB: &str = "src/lib.rs";

    /// A submission's folder, made by `make`, and what is taken of it.
    fn taken(make: impl FnOnce(&Path)) -> Result<Vec<(String, String)>, String> {
        let folder =
            std::env::temp_dir().join(format!("ipc-course-intake-{}", Seed::fresh().unwrap()));
        fs::create_dir(&folder).unwrap();
        make(&folder);
        let taken = take(&Submission::at(&folder), &[LIB.into()]);
        remove_tree(&folder).unwrap();
        taken.map_err(|refused| refused.to_string())
    }

    fn with_src(make: impl FnOnce(&Path)) -> Result<Vec<(String, String)>, String> {
        taken(|folder| {
            fs::create_dir(folder.join("src")).unwrap();
            make(&folder.join(LIB));
        })
    }

    #[test]
    fn the_named_file_is_taken_and_nothing_else() {
        let found = with_src(|lib| {
            fs::write(lib, "//! Mine.").unwrap();
            fs::write(lib.with_file_name("build.rs"), "fn main() {}").unwrap();
        });
        assert_eq!(found, Ok(vec![(LIB.to_owned(), "//! Mine.".to_owned())]));
    }

    #[test]
    fn what_is_no_plain_file_is_refused_and_says_why() {
        let large = vec![b'x'; LARGEST as usize + 1];
        for (found, part) in [
            (taken(|_| {}), "missing"),
            (with_src(|_| {}), "missing"),
            (with_src(|lib| fs::create_dir(lib).unwrap()), "no regular file"),
            (with_src(|lib| symlink("/etc/hostname", lib).unwrap()), "symbolic link"),
            (taken(|folder| symlink("/usr/src", folder.join("src")).unwrap()), "symbolic link"),
            (with_src(|lib| nix::unistd::mkfifo(lib, Mode::S_IRWXU).unwrap()), "no regular file"),
            (with_src(|lib| fs::write(lib, large).unwrap()), "at most"),
            (with_src(|lib| fs::write(lib, b"ab\xff").unwrap()), "byte 2 is wrong"),
            (
                with_src(|lib| {
                    fs::write(lib, "twice").unwrap();
                    fs::hard_link(lib, lib.with_file_name("again")).unwrap();
                }),
                "2 names",
            ),
        ] {
            let why = found.unwrap_err();
            assert!(why.starts_with(LIB) && why.contains(part), "{why}, not {part}");
        }
    }
}
