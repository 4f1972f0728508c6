//! What /proc says about a process: its mappings, how long their files are, how far its stack may
//! grow, which pages are guarded.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use ipc_common::{PageSize, Result};

use crate::maps::{self, Backing, Listed};

/// Bit 58 of a page's entry (pagemap.rst): `MADV_GUARD_INSTALL` was asked for it. 0 on a kernel
/// that does not tell.
const GUARDED: u64 = 1 << 58;

/// All that a process has mapped, by address, with the lengths of the files.
pub(super) fn mappings(pid: u32) -> Result<Vec<Listed>> {
    let mut all = maps::of(pid)?;
    add_lengths(&mut all, |listed| file_len(pid, listed));
    Ok(all)
}

/// A program's file is mapped four or five times, and asked about once.
fn add_lengths(mappings: &mut [Listed], mut len: impl FnMut(&Listed) -> Option<u64>) {
    let mut known: HashMap<(String, u64), Option<u64>> = HashMap::new();
    for listed in mappings.iter_mut().filter(|listed| listed.is_file()) {
        let file = (listed.device.clone(), listed.inode);
        listed.file_len = *known.entry(file).or_insert_with(|| len(listed));
    }
}

fn file_len(pid: u32, listed: &Listed) -> Option<u64> {
    let path = match listed.backing() {
        Backing::File(path) if !listed.is_deleted() => Some(seen_from(pid, path)),
        _ => None,
    };
    // The link to the very mapping is for root only.
    let link = format!("/proc/{pid}/map_files/{:x}-{:x}", listed.start, listed.end);
    path.and_then(|path| len_at(&path, listed.inode))
        .or_else(|| len_at(Path::new(&link), listed.inode))
        .or_else(|| len_among_open(pid, listed.inode))
}

/// How long the file at a path is, if it is the one with this inode. The device is not compared:
/// maps and stat(2) name different ones on overlayfs and btrfs.
fn len_at(path: &Path, inode: u64) -> Option<u64> {
    let found = fs::metadata(path).ok()?;
    (found.is_file() && found.ino() == inode).then_some(found.len())
}

/// The same for a file without a name, as long as the process has it open.
fn len_among_open(pid: u32, inode: u64) -> Option<u64> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    open.flatten().find_map(|entry| len_at(&entry.path(), inode))
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

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::memfd::{MFdFlags, memfd_create};
    use nix::unistd::ftruncate;

    #[test]
    fn files_of_two_devices_with_one_inode_have_lengths_of_their_own() {
        let lines: [&[u8]; 3] = [
            b"1000-2000 r--s 0 fe:00 7 /a",
            b"3000-4000 r--s 0 00:2a 7 /b",
            b"5000-6000 r--s 0 fe:00 7 /a",
        ];
        let mut mappings: Vec<Listed> =
            lines.iter().filter_map(|line| Listed::parse(line)).collect();
        let mut asked = 0;
        add_lengths(&mut mappings, |listed| {
            asked += 1;
            Some(listed.start as u64)
        });
        let lengths: Vec<_> = mappings.iter().map(|listed| listed.file_len).collect();
        assert_eq!((asked, lengths), (2, vec![Some(0x1000), Some(0x3000), Some(0x1000)]));
    }

    #[test]
    fn a_file_is_known_by_its_inode_and_not_by_its_place() {
        let pid = std::process::id();
        let program = std::env::current_exe().unwrap();
        let ours = fs::metadata(&program).unwrap();
        assert_eq!(len_at(&program, ours.ino()), Some(ours.len()));
        assert_eq!(len_at(&program, ours.ino() + 1), None);
        // More than one is open, and only one is meant.
        for len in [0, 12_345, 0] {
            let unnamed = memfd_create("pad", MFdFlags::empty()).unwrap();
            ftruncate(&unnamed, len).unwrap();
            let file = File::from(unnamed);
            let inode = file.metadata().unwrap().ino();
            assert_eq!(len_among_open(pid, inode), Some(len.unsigned_abs()));
            // Left open for the next one to be told from.
            std::mem::forget(file);
        }
    }
}
