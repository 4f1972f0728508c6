//! Mode full: a file system with nothing in it but what is needed. What is not there cannot be
//! included, read, linked to or run, whatever its mode.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::Mode as Bits;
use nix::sys::statvfs::{FsFlags, fstatvfs};
use nix::unistd::{chdir, pivot_root};

use ipc_common::{Error, Result};

use super::fence;

/// Where the new root is put together: folders that every Linux has, in a mount namespace of ours.
const PLACES: [&str; 3] = ["/tmp", "/mnt", "/run"];

/// How large the parts may grow, in tmpfs's words. What is written there is memory.
const ROOT: &str = "size=64m,nr_inodes=8k,mode=755";
/// What the compiler writes.
pub(crate) const BUILD: &str = "size=512m,nr_inodes=16k,mode=755";
/// What the student's programs write.
pub(crate) const SCRATCH: &str = "size=64m,nr_inodes=4k,mode=755";

/// Makes a root of the system's folders and of `more` (from there, to here), and enters it. `empty`
/// are folders in it that are file systems of their own, with their size. For the first process of
/// a new mount and pid namespace.
pub(crate) fn enter(more: &[(PathBuf, PathBuf)], empty: &[(&Path, &str)]) -> Result<()> {
    let mount_failed = |errno, path: &Path| Error::new("mount", errno, path.display().to_string());
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
        .map_err(|errno| mount_failed(errno, Path::new("/")))?;
    // Opened first: the new root may be mounted over what some of them lie in.
    let mut sources = Vec::new();
    let devices = fence::DEVICES.iter().map(Path::new);
    for path in fence::system_folders().chain(devices) {
        sources.extend(source(path, path)?);
    }
    for (from, to) in more {
        match source(from, to)? {
            Some(found) => sources.push(found),
            None => return Err(Error::new("open", Errno::ENOENT, from.display().to_string())),
        }
    }
    let Some(base) = PLACES.iter().map(Path::new).find(|place| place.is_dir()) else {
        return Err(Error::refused("mount", Errno::ENOENT, PLACES.join(", ")));
    };
    tmpfs(base, ROOT)?;
    for source in &sources {
        source.appear_below(base)?;
    }
    let proc = below(base, Path::new("/proc"));
    make_folder(&proc)?;
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), &proc, Some("proc"), safe, None::<&str>)
        .map_err(|errno| mount_failed(errno, &proc))?;
    for (path, size) in empty {
        let path = below(base, path);
        make_folder(&path)?;
        tmpfs(&path, size)?;
    }
    let pivot = || {
        chdir(base)?;
        // The old root ends up on top of the new one, and is taken off (pivot_root(2)).
        pivot_root(".", ".")?;
        umount2(".", MntFlags::MNT_DETACH)?;
        chdir("/")
    };
    pivot().map_err(|errno| Error::new("pivot_root", errno, base.display().to_string()))
}

/// In the mount namespace of one program: its own /proc, and a root that nobody writes to.
pub(super) fn for_one_program(own_root: bool) -> std::result::Result<(), (&'static str, Errno)> {
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), safe, None::<&str>)
        .map_err(|errno| ("mount /proc", errno))?;
    if own_root {
        let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
        let flags = read_only | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(None::<&str>, "/", None::<&str>, flags, None::<&str>)
            .map_err(|errno| ("mount /", errno))?;
    }
    Ok(())
}

/// What is to appear in the new root.
enum Source {
    /// A symbolic link (`/lib` → `usr/lib`), which is made again.
    Link { at: PathBuf, target: PathBuf },
    /// A folder or a file, held open.
    Thing { at: PathBuf, fd: OwnedFd, is_folder: bool },
}

fn source(from: &Path, at: &Path) -> Result<Option<Source>> {
    let at = at.to_owned();
    let failed = |error| Error::from_io("lstat", &error, from.display().to_string());
    let found = match fs::symlink_metadata(from) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if found.is_symlink() {
        let target = fs::read_link(from).map_err(failed)?;
        return Ok(Some(Source::Link { at, target }));
    }
    let fd = open(from, OFlag::O_PATH | OFlag::O_CLOEXEC, Bits::empty())
        .map_err(|errno| Error::new("open", errno, from.display().to_string()))?;
    Ok(Some(Source::Thing { at, fd, is_folder: found.is_dir() }))
}

impl Source {
    fn appear_below(&self, base: &Path) -> Result<()> {
        match self {
            Source::Link { at, target } => {
                let at = below(base, at);
                make_parent(&at)?;
                symlink(target, &at)
                    .map_err(|error| Error::from_io("symlink", &error, at.display().to_string()))
            }
            Source::Thing { at, fd, is_folder } => {
                let at = below(base, at);
                if *is_folder {
                    make_folder(&at)?;
                } else {
                    make_parent(&at)?;
                    File::create(&at)
                        .map_err(|e| Error::from_io("open", &e, at.display().to_string()))?;
                }
                bind(fd, &at)
            }
        }
    }
}

/// Makes a thing appear at a second place, read-only. Flags that it has already must be kept, where
/// we are not root outside.
fn bind(fd: &OwnedFd, at: &Path) -> Result<()> {
    let failed = |errno| Error::new("mount", errno, at.display().to_string());
    let from = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(from.as_str()), at, None::<&str>, bind, None::<&str>).map_err(failed)?;
    let has = fstatvfs(fd).map_err(failed)?.flags();
    let mut flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_NOSUID;
    // A device that may only be read would be of no use.
    if !at.components().any(|part| part.as_os_str() == "dev") {
        flags |= MsFlags::MS_RDONLY | MsFlags::MS_NODEV;
    }
    for (flag, keep) in [
        (FsFlags::ST_RDONLY, MsFlags::MS_RDONLY),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ] {
        if has.contains(flag) {
            flags |= keep;
        }
    }
    mount(None::<&str>, at, None::<&str>, flags, None::<&str>).map_err(failed)
}

fn tmpfs(at: &Path, size: &str) -> Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("tmpfs"), at, Some("tmpfs"), flags, Some(size))
        .map_err(|errno| Error::new("mount", errno, at.display().to_string()))
}

fn below(base: &Path, path: &Path) -> PathBuf {
    base.join(path.strip_prefix("/").unwrap_or(path))
}

fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path)
        .map_err(|error| Error::from_io("mkdir", &error, path.display().to_string()))
}

fn make_parent(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), make_folder)
}
