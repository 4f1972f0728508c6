//! What all programs of a run use together, watched from outside: a limit of setrlimit(2) holds for
//! each process by itself, and System V memory for none.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ipc_common::PageSize;

use super::{Identity, Mode, sweep};
use crate::evidence::census::{self, Object};

/// Most bytes of memory that the programs of a run may have together, segments included.
const MEMORY: u64 = 1 << 30;
/// Most segments, semaphore sets and message queues together.
const OBJECTS: usize = 256;
/// Most bytes on disk.
const DISK: u64 = 512 << 20;
/// Most files.
const FILES: usize = 16 * 1024;

/// What flows over, in words; `None` while all is well. `before` are the System V objects that there
/// were without the run.
pub(crate) fn look(
    mode: Mode,
    identity: Identity,
    before: &[Object],
    folders: &[&Path],
) -> Option<String> {
    let mut objects = census::all().unwrap_or_default();
    objects.retain(|object| sweep::is_of_the_run(object, mode, identity, before));
    // In mode full the namespace bounds them. Elsewhere all programs of the machine share its limits.
    if objects.len() > OBJECTS {
        return Some(format!("more than {OBJECTS} System V objects"));
    }
    let memory = memory() + objects.iter().map(|object| object.resident).sum::<u64>();
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
