//! Which of its cases an errno of shmget means here. The kernel does not say, but its numbers do.

use ipc_common::{Errno, Error, Key, PageSize};

use super::{Limits, Segment, limits};

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
    // Beyond SHMMAX, whose default is close to 2^64, a segment's length must fit in a file's.
    if size as u64 > limits.largest_segment || isize::try_from(size).is_err() {
        return Some(format!(
            "the largest segment allowed here has {} bytes (SHMMAX, kernel.shmmax); ask for less",
            limits.largest_segment.min(isize::MAX as u64)
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
    let free = "remove unused ones: `sysv-shm list`, `ipcrm -m ID`";
    if limits.segments >= limits.most_segments {
        return Some(format!(
            "the system has its full number of segments: {} (SHMMNI, kernel.shmmni); {free}",
            limits.most_segments
        ));
    }
    let pages = PageSize::system().round_up(size)? / PageSize::system().bytes();
    (limits.pages.saturating_add(pages as u64) > limits.most_pages).then(|| {
        format!(
            "this takes {pages} pages, and {} of the {} for all segments (SHMALL, kernel.shmall) are in use; {free}",
            limits.pages, limits.most_pages
        )
    })
}
