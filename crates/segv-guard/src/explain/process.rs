//! What /proc says about a process: its mappings, how long their files are, how far its stack may
//! grow, which pages are guarded.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, PageSize, Result};

use super::listed::{Backing, Listed};

/// Bit 58 of a page's entry (pagemap.rst): `MADV_GUARD_INSTALL` was asked for it. 0 on a kernel
/// that does not tell.
const GUARDED: u64 = 1 << 58;

/// All that a process has mapped, by address, with the lengths of the files.
pub(super) fn mappings(pid: u32) -> Result<Vec<Listed>> {
    let mut all = parse(&maps(pid)?);
    // A program's file is mapped four or five times.
    let mut known: HashMap<u64, Option<u64>> = HashMap::new();
    for listed in all.iter_mut().filter(|listed| listed.is_file()) {
        listed.file_len = *known.entry(listed.inode).or_insert_with(|| file_len(pid, listed));
    }
    Ok(all)
}

pub(super) fn parse(maps: &[u8]) -> Vec<Listed> {
    maps.split(|byte| *byte == b'\n').filter_map(Listed::parse).collect()
}

fn maps(pid: u32) -> Result<Vec<u8>> {
    fs::read(format!("/proc/{pid}/maps")).map_err(|error| {
        let error = Error::from_io("open", &error, format!("process {pid}"));
        match error.errno() {
            Errno::ENOENT | Errno::ESRCH if Path::new("/proc/self").exists() => {
                Error::refused("open", Errno::ESRCH, format!("process {pid}"))
                    .with_remedy("there is no process with this id (any more); see `ps -e`")
            }
            Errno::ENOENT => error.with_remedy("/proc is not mounted here, and only it knows"),
            Errno::EACCES | Errno::EPERM => error.with_remedy(
                "this process is another user's, or does not let itself be looked into (see \
                 proc(5) and ptrace(2)); ask about one of your own",
            ),
            _ => error,
        }
    })
}

fn file_len(pid: u32, listed: &Listed) -> Option<u64> {
    // The device is not compared: maps and stat(2) name different ones on overlayfs and btrfs.
    let same = |found: &Metadata| found.is_file() && found.ino() == listed.inode;
    let at_path = match listed.backing() {
        Backing::File(path) if !listed.is_deleted() => seen_from(pid, path),
        _ => PathBuf::new(),
    };
    // By path; by the link to the very mapping, which is for root; by any descriptor still open.
    let link = format!("/proc/{pid}/map_files/{:x}-{:x}", listed.start, listed.end);
    let by_name = [at_path, PathBuf::from(link)].into_iter();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    by_name
        .chain(open.map(|entry| entry.path()))
        .filter_map(|path| fs::metadata(path).ok())
        .find(same)
        .map(|found| found.len())
}

/// A path of a process in another container leads elsewhere there than here.
fn seen_from(pid: u32, path: &Path) -> PathBuf {
    let mut seen = PathBuf::from(format!("/proc/{pid}/root")).into_os_string();
    seen.push(std::ffi::OsStr::from_bytes(path.as_os_str().as_bytes()));
    PathBuf::from(seen)
}

/// How many bytes the main thread's stack may have (`ulimit -s`); `None` if without limit, or not
/// to be found out.
pub(super) fn stack_limit(pid: u32) -> Option<usize> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max stack size"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Whether the page at `address` is guarded, as far as the kernel tells.
pub(super) fn is_guarded(pid: u32, address: usize) -> bool {
    let page = address / PageSize::system().bytes();
    let mut entry = [0; 8];
    let read = |file: File| file.read_exact_at(&mut entry, page as u64 * 8);
    match File::open(format!("/proc/{pid}/pagemap")).and_then(read) {
        Ok(()) => u64::from_ne_bytes(entry) & GUARDED != 0,
        Err(_) => false,
    }
}
