//! The folders that matter, and what file systems they are on.

use std::path::Path;

use nix::sys::statfs::statfs;
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{AccessFlags, access};

use super::memory::size;
use super::{Finding, number};
use crate::supervisor::Course;

/// What a build and a run take at most.
const NEEDED: u64 = 512 << 20;

pub(super) fn look(course: &Course) -> Vec<Finding> {
    let mut findings = vec![place("course's folder", course.folder())];
    let temporary = std::env::temp_dir();
    findings.push(place("temporary files", &temporary));
    findings.push(progress());
    let watches = number("/proc/sys/fs/inotify/max_user_watches").unwrap_or_default();
    let found = format!("inotify, {watches} watches");
    findings.push(match watches {
        0..100 => Finding::limited(
            "lab watch",
            found,
            "it looks once a second instead; `sudo sysctl fs.inotify.max_user_watches=65536`",
        ),
        _ => Finding::good("lab watch", found),
    });
    findings
}

fn place(topic: &'static str, folder: &Path) -> Finding {
    let shown = ipc_common::cli::shown(folder);
    let (kind, space) = match (statfs(folder), statvfs(folder)) {
        (Ok(kind), Ok(space)) => (kind.filesystem_type().0 as u64 & 0xffff_ffff, space),
        (Err(errno), _) | (_, Err(errno)) => {
            return Finding::bad(topic, format!("{shown}: {errno}"), "it has to be there");
        }
    };
    let free = space.blocks_available().saturating_mul(space.fragment_size());
    let name = name(kind);
    let found = format!("{shown}, on {name}, {} free", size(free));
    if access(folder, AccessFlags::W_OK).is_err() {
        return Finding::bad(topic, found, "you may not write there: chown it, or set TMPDIR");
    }
    if ["9p", "virtiofs", "NFS", "CIFS", "FUSE"].contains(&name.as_str()) {
        return Finding::limited(
            topic,
            found,
            "another machine's file system: mmap, locks and file watching differ there; put the \
             course on a disk of Linux's own (in WSL2: below your home, not /mnt)",
        );
    }
    if space.flags().contains(FsFlags::ST_NOEXEC) {
        let advice = "no program may be run from there (noexec): set TMPDIR to another folder";
        return Finding::limited(topic, found, advice);
    }
    if free < NEEDED {
        return Finding::limited(topic, found, "a build takes some hundred MiB: make room");
    }
    Finding::good(topic, found)
}

/// statfs(2) has the numbers.
fn name(kind: u64) -> String {
    match kind {
        0xef53 => "ext4".into(),
        0x5846_5342 => "XFS".into(),
        0x9123_683e => "Btrfs".into(),
        0x0102_1994 => "tmpfs".into(),
        0x794c_7630 => "overlayfs".into(),
        0x2fc1_2fc1 => "ZFS".into(),
        0xf2f5_2010 => "F2FS".into(),
        0x6969 => "NFS".into(),
        0xff53_4d42 | 0xfe53_4d42 => "CIFS".into(),
        0x0102_1997 => "9p".into(),
        0x6a65_6a63 => "virtiofs".into(),
        0x6573_5546 => "FUSE".into(),
        other => format!("file system {other:#x}"),
    }
}

fn progress() -> Finding {
    match ipc_common::state::folder() {
        Ok(folder) => Finding::good("your progress", ipc_common::cli::shown(&folder).to_string()),
        Err(error) => Finding::limited(
            "your progress",
            error.to_string(),
            "checks work, and nothing is remembered of them",
        ),
    }
}
