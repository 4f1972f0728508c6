//! Which of its cases an errno means here. The kernel does not say, but its numbers do.

use ipc_common::{Errno, Error, Key, PageSize};

use nix::unistd::geteuid;

use super::{Limits, Segment, limits, list};
use crate::user_name;

/// The same error with a remedy for the case at hand.
pub(super) fn shmget(error: Error, key: Key, size: usize) -> Error {
    // Read after the failure, so they may have changed; then the general sentence stays.
    let Ok(limits) = limits() else { return error };
    let said = match error.errno() {
        Errno::EINVAL => which_einval(key, size, &limits),
        Errno::ENOSPC => which_limit(size, &limits),
        _ => None,
    };
    match said {
        Some(remedy) => error.with_remedy(remedy),
        None => error,
    }
}

fn which_einval(key: Key, size: usize, limits: &Limits) -> Option<String> {
    if size == 0 {
        return Some("a segment has at least 1 byte (SHMMIN); ask for more than 0".into());
    }
    if size as u64 > limits.largest_segment {
        return Some(format!(
            "the largest segment allowed here has {} bytes (SHMMAX, kernel.shmmax); ask for less",
            limits.largest_segment
        ));
    }
    // Its memory is a file in the kernel, and SHMMAX may allow more than a file can have.
    if isize::try_from(size).is_err() {
        return Some(format!(
            "no segment can have more than {} bytes, whatever SHMMAX says; ask for less",
            isize::MAX
        ));
    }
    let found = Segment::open(key).and_then(Segment::stat).ok()?;
    (found.size < size).then(|| {
        format!(
            "the segment with this key is smaller: {} bytes; ask for that many, or remove it and create a larger one",
            found.size
        )
    })
}

fn which_limit(size: usize, limits: &Limits) -> Option<String> {
    let free = "remove unused ones: `ipcs -m`, `ipcrm -m ID`";
    if limits.segments >= limits.most_segments {
        return Some(format!(
            "the system has its full number of segments: {} (SHMMNI, kernel.shmmni); {free}",
            limits.most_segments
        ));
    }
    let pages = PageSize::system().round_up(size)? / PageSize::system().bytes();
    (limits.pages.saturating_add(pages as u64) > limits.most_pages).then(|| {
        format!(
            "this takes {pages} {}, and of the {} for all segments (SHMALL, kernel.shmall) {} are in use; {free}",
            if pages == 1 { "page" } else { "pages" },
            limits.most_pages,
            limits.pages
        )
    })
}

/// `EACCES` of a call on a segment, with its key and whose it is. `IPC_STAT` hides that from whom
/// the mode keeps out; the list shows it to everyone. `purpose` is what the mode did not let us do.
pub(super) fn shut_out(error: Error, id: i32, purpose: &str) -> Error {
    if !error.is_from_kernel() || error.errno() != Errno::EACCES {
        return error;
    }
    let Some(stat) = list().unwrap_or_default().into_iter().find(|stat| stat.id == id) else {
        return error;
    };
    let about = match error.call() {
        "shmget" => format!("key {}, segment {id}", stat.key),
        _ => format!("{}, key {}", error.about(), stat.key),
    };
    let (owner, mode) = (user_name(stat.owner), stat.mode);
    Error::new(error.call(), Errno::EACCES, about).with_remedy(if stat.owner == geteuid() {
        format!(
            "the segment is yours, but its mode {mode} does not let even you {purpose}; remove it: `ipcrm -m {id}`"
        )
    } else {
        format!(
            "the segment belongs to {owner}, and its mode {mode} does not let you {purpose}; use another key, or ask {owner} for a wider mode"
        )
    })
}
