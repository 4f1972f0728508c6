//! The folder that files are made in, and the file system that it is on.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, Result};
use nix::sys::statvfs::statvfs;

use crate::settings::{Settings, show_roughly, show_size};

/// What is left free beside the files: the machine has other users.
const SPARE: u64 = 64 << 20;

/// A folder, and what it is on.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
    file_system: String,
}

impl Place {
    /// The folder that is set; otherwise the first of the target folder's `tmp`, the temporary
    /// folder and /var/tmp that can be written and is no tmpfs; otherwise the first that can be
    /// written.
    ///
    /// # Errors
    ///
    /// If the folder that is set cannot be written, or none can.
    pub fn choose(settings: &Settings, target: &Path) -> Result<Place> {
        if let Some(folder) = &settings.folder {
            return Place::at(folder);
        }
        let candidates = [target.join("tmp"), std::env::temp_dir(), PathBuf::from("/var/tmp")];
        let mut usable = Vec::new();
        let mut refused = None;
        for folder in candidates {
            match Place::at(&folder) {
                // A disk is the instructor's question; memory has no cold pages and no fsync.
                Ok(place) if !place.is_memory() => return Ok(place),
                Ok(place) => usable.push(place),
                Err(error) => refused = Some(error),
            }
        }
        match (usable.into_iter().next(), refused) {
            (Some(place), _) => Ok(place),
            (None, Some(error)) => Err(error),
            (None, None) => unreachable!("each candidate is usable or refused"),
        }
    }

    /// This folder, if a file can be made in it.
    ///
    /// # Errors
    ///
    /// Those of open(2).
    pub fn at(folder: &Path) -> Result<Place> {
        let folder = fs::canonicalize(folder)
            .map_err(|error| Error::from_io("open", &error, folder.display().to_string()))?;
        let file_system = file_system(&folder).unwrap_or_else(|| "unknown".into());
        let place = Place { folder, file_system };
        place.unnamed().map(|_| place)
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `ext4`, `tmpfs`, `overlay`, …: as the kernel's table of mounts calls it.
    pub fn file_system(&self) -> &str {
        &self.file_system
    }

    /// Whether its files are memory and nothing else.
    pub fn is_memory(&self) -> bool {
        matches!(self.file_system.as_str(), "tmpfs" | "ramfs" | "hugetlbfs")
    }

    /// Whether a file of so many bytes fits, with something to spare: on the disk, and in memory, for a
    /// file that does not stay there is never warm.
    ///
    /// # Errors
    ///
    /// A sentence that says what is free and what to do.
    pub fn has_room(&self, bytes: u64) -> std::result::Result<(), String> {
        let room = self.room().map_err(|error| error.to_string())?;
        enough(room, bytes, "free").map_err(|why| {
            let folder = self.folder.display();
            format!("{folder}: {why}; set BENCH_MAX, or BENCH_DIR to a larger disk")
        })?;
        enough(memory(), bytes, "available")
            .map_err(|why| format!("memory: {why}; set BENCH_MAX, or close what fills it"))
    }

    /// Bytes that may still be written.
    ///
    /// # Errors
    ///
    /// Those of statvfs(3).
    pub fn room(&self) -> Result<u64> {
        let numbers = statvfs(&self.folder)
            .map_err(|errno| Error::new("statvfs", errno, self.folder.display().to_string()))?;
        // Not `blocks_free`: some of those are root's.
        Ok(numbers.blocks_available() as u64 * numbers.fragment_size() as u64)
    }

    /// A new file without a name, for reading and writing. It is gone when the last descriptor and
    /// mapping are, also if that is by Ctrl-C, SIGTERM or kill -9: so nothing has to be cleaned up.
    ///
    /// # Errors
    ///
    /// Those of open(2).
    pub fn unnamed(&self) -> Result<File> {
        let error = |error: &io::Error| {
            Error::from_io("open", error, format!("a new file in {}", self.folder.display()))
        };
        let folder = CString::new(self.folder.as_os_str().as_bytes())
            .map_err(|_| Error::refused("open", Errno::EINVAL, "a path with a NUL in it"))?;
        let flags = libc::O_TMPFILE | libc::O_RDWR | libc::O_CLOEXEC;
        // SAFETY: a path that ends with NUL.
        let fd = unsafe { libc::open(folder.as_ptr(), flags, 0o600) };
        if fd >= 0 {
            // SAFETY: open gave it to us and to nobody else.
            return Ok(unsafe { File::from_raw_fd(fd) });
        }
        match io::Error::last_os_error() {
            // File systems without O_TMPFILE (overlayfs before Linux 6.1, NFS, FUSE) say so, or see
            // only the folder.
            refused if is_no_tmpfile(&refused) => self.unlinked().map_err(|other| error(&other)),
            refused => Err(error(&refused)),
        }
    }

    /// A name of its own for something that needs one (a FIFO); to be unlinked at once.
    pub fn fresh_name(&self, what: &str) -> PathBuf {
        use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Relaxed);
        self.folder.join(format!(".ipc-bench-{}-{count}-{what}", std::process::id()))
    }

    /// With a name for a moment.
    fn unlinked(&self) -> io::Result<File> {
        let path = self.fresh_name("file");
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    }
}

/// `/path (ext4, 77 GiB free)`
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let free = self.room().map_or("?".into(), show_roughly);
        write!(f, "{} ({}, {free} free)", self.folder.display(), self.file_system)
    }
}

fn is_no_tmpfile(error: &io::Error) -> bool {
    let refusals = [libc::EOPNOTSUPP, libc::EISDIR, libc::ENOENT, libc::EINVAL];
    error.raw_os_error().is_some_and(|errno| refusals.contains(&errno))
}

fn enough(room: u64, bytes: u64, how: &str) -> std::result::Result<(), String> {
    match bytes.checked_add(SPARE) {
        Some(needed) if needed <= room => Ok(()),
        _ => Err(format!(
            "a file of {} needs as much and {} to spare, and only {} are {how}",
            show_size(bytes),
            show_size(SPARE),
            show_roughly(room),
        )),
    }
}

/// Memory that a file could stay in: what the kernel would give, and what a container may have.
fn memory() -> u64 {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kilobytes = available.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").unwrap_or_default();
    // `max`, or no such file: no limit.
    let limit = limit.trim().parse().unwrap_or(u64::MAX);
    kilobytes.map_or(u64::MAX, |kilobytes| kilobytes << 10).min(limit)
}

/// The type of the mount that holds `folder`: the one with the longest mount point above it
/// (proc_pid_mountinfo(5)), the last of those that are mounted on one another.
fn file_system(folder: &Path) -> Option<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").ok()?;
    file_system_in(&table, folder)
}

fn file_system_in(table: &str, folder: &Path) -> Option<String> {
    let mount = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        // Blanks in a mount point are written as `\040`.
        let point = before.split(' ').nth(4)?.replace("\\040", " ");
        folder.starts_with(&point).then_some((point.len(), after.split(' ').next()?.to_owned()))
    };
    table.lines().filter_map(mount).max_by_key(|(depth, _)| *depth).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_fit_is_refused_with_the_numbers() {
        assert!(enough(1 << 30, 1 << 20, "free").is_ok());
        let why = enough(100 << 20, 64 << 20, "free").unwrap_err();
        assert!(why.contains("64 MiB") && why.contains("100.0 MiB"), "{why}");
        assert!(enough(u64::MAX, u64::MAX, "free").is_err());
    }

    #[test]
    fn the_file_system_is_that_of_the_nearest_mount() {
        let table = "22 1 8:1 / / rw - ext4 /dev/vda rw\n\
                     23 22 0:3 / /tmp rw - tmpfs none rw\n\
                     24 23 0:4 / /tmp/a\\040b rw shared:1 - xfs /dev/vdb rw\n\
                     25 23 0:5 / /tmp rw - btrfs none rw\n";
        let of = |path: &str| file_system_in(table, Path::new(path));
        assert_eq!(of("/home").as_deref(), Some("ext4"));
        assert_eq!(of("/tmpfs").as_deref(), Some("ext4"));
        assert_eq!(of("/tmp/x").as_deref(), Some("btrfs"));
        assert_eq!(of("/tmp/a b/c").as_deref(), Some("xfs"));
        assert_eq!(file_system(Path::new("/dev/shm")).as_deref(), Some("tmpfs"));
    }

    #[test]
    fn a_file_without_a_name_leaves_none() {
        let folder = testkit::folder();
        let place = Place::at(folder.path()).unwrap();
        let _kept = [place.unnamed().unwrap(), place.unlinked().unwrap()];
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
