//! Pages of files: SIGBUS where the file ends, SIGSEGV where the mapping does not allow it.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags};
use nix::unistd::ftruncate;

use super::{Act, Arranged, Deed, deed, refused};
use crate::commands::sys;
use ipc_common::{Error, Result};

pub const DEEDS: &[Deed] = &[
    deed("past-end-read", "*p in page 3 of a file of one page", || past_end(Act::Read)),
    deed("past-end-write", "*p = 1 in page 3 of a file of one page", || past_end(Act::Write)),
    deed("past-end-call", "p() in page 3 of a file of one page", || past_end(Act::Call)),
    deed("truncated-read", "*p in page 3, after the file was cut to one page", || {
        truncated(Act::Read)
    }),
    deed("truncated-write", "*p = 1 in page 3, after the file was cut to one page", || {
        truncated(Act::Write)
    }),
    deed("read-only-file-write", "*p = 1 in a file mapped for reading", || {
        let at = notes(4, ProtFlags::PROT_READ)?;
        Ok(Arranged::new(at, Act::Write))
    }),
    deed("no-huge-page", "*p = 1 in memory of huge pages, when the pool is empty", no_huge_page),
];

const ALL: ProtFlags =
    ProtFlags::PROT_READ.union(ProtFlags::PROT_WRITE).union(ProtFlags::PROT_EXEC);

/// The file of this deed, open until the process ends.
static NOTES: OnceLock<OwnedFd> = OnceLock::new();

/// Four pages mapped from a file that has `pages`. The file lives in memory and has no path, so
/// that nothing is left when its process is killed.
fn notes(pages: usize, protection: ProtFlags) -> std::result::Result<usize, String> {
    let file = memfd_create("notes.dat", MFdFlags::empty())
        .map_err(|errno| refused(Error::new("memfd_create", errno, "notes.dat")))?;
    cut(file.as_fd(), pages).map_err(refused)?;
    let at = sys::map_file(&file, 4, protection).map_err(refused)?;
    let _ = NOTES.set(file);
    Ok(at)
}

fn cut(file: BorrowedFd<'_>, pages: usize) -> Result<()> {
    ftruncate(file, sys::page(0, pages) as i64)
        .map_err(|errno| Error::new("ftruncate", errno, "notes.dat"))
}

fn past_end(act: Act) -> std::result::Result<Arranged, String> {
    Ok(Arranged::new(sys::page(notes(1, ALL)?, 3) + 9, act))
}

fn truncated(act: Act) -> std::result::Result<Arranged, String> {
    Ok(Arranged::new(sys::page(notes(4, ALL)?, 3) + 9, act)
        .spoiled_by(|_| NOTES.get().map_or(Ok(()), |file| cut(file.as_fd(), 1))))
}

fn no_huge_page() -> std::result::Result<Arranged, String> {
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let figure = |name: &str| {
        let line = memory.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<usize>().ok()
    };
    match (figure("HugePages_Free:"), figure("Hugepagesize:")) {
        (Some(0), Some(kib)) => {
            let pages = kib * 1024 / sys::page(0, 1);
            let flags = MapFlags::MAP_HUGETLB | MapFlags::MAP_NORESERVE;
            let open = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
            Ok(Arranged::new(sys::map(pages, open, flags).map_err(refused)?, Act::Write))
        }
        (Some(free), _) => Err(format!("{free} huge pages are free, so one would be found")),
        (None, _) => Err("this kernel has no pool of huge pages".into()),
    }
}
