//! What all programs of a run use together, watched from outside: a limit of setrlimit(2) holds for
//! each process by itself, and System V memory for none.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ipc_common::PageSize;

use super::{Identity, Mode, sweep};
use crate::evidence::census;

/// Most bytes of memory that the programs of a run may have together, segments included.
const MEMORY: u64 = 1 << 30;
/// Most bytes on disk.
const DISK: u64 = 512 << 20;
/// Most files.
const FILES: usize = 16 * 1024;

/// What flows over, in words; `None` while all is well.
pub(crate) fn look(mode: Mode, identity: Identity, folders: &[&Path]) -> Option<String> {
    let memory = memory() + segments(mode, identity);
    if memory > MEMORY {
        return Some(format!("more than {} MiB of memory in use", MEMORY >> 20));
    }
    // In mode full the folders are file systems of a fixed size.
    if mode == Mode::Full {
        return None;
    }
    let (bytes, files) = folders
        .iter()
        .map(|folder| disk(folder))
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    if bytes > DISK {
        return Some(format!("more than {} MiB of disk in use", DISK >> 20));
    }
    (files > FILES).then(|| format!("more than {FILES} files"))
}

/// The resident memory of all processes below this one.
fn memory() -> u64 {
    let page = PageSize::system().bytes() as u64;
    let resident = |pid: i32| -> Option<u64> {
        let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        statm.split(' ').nth(1)?.parse::<u64>().ok()
    };
    let below = sweep::below(std::process::id().cast_signed());
    below.into_iter().filter_map(resident).sum::<u64>() * page
}

fn segments(mode: Mode, identity: Identity) -> u64 {
    let me = nix::unistd::geteuid().as_raw();
    let ours = |object: &census::Object| match (mode, identity) {
        (Mode::Full, _) => true,
        (_, Identity::Run(id)) => object.creator == id,
        _ => object.creator == me,
    };
    let all = census::all().unwrap_or_default();
    all.iter().filter(|object| ours(object)).map(|object| object.resident).sum()
}

/// Bytes and files below a folder, as far as it takes to know that it is too much.
fn disk(folder: &Path) -> (u64, usize) {
    let (mut bytes, mut files) = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            bytes += found.blocks() * 512;
            files += 1;
            if found.is_dir() {
                folders.push(entry.path());
            }
            if bytes > DISK || files > FILES {
                return (bytes, files);
            }
        }
    }
    (bytes, files)
}
