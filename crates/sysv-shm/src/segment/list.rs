//! All segments of this IPC namespace: what `ipcs -m` shows.
//!
//! From `/proc/sysvipc/shm`. shmctl's `SHM_STAT` leaves out segments that we may not read, and
//! `SHM_STAT_ANY` goes by index, one call for each place in a table that changes meanwhile; the
//! file shows everybody's segments, with the same columns, to everyone.

use std::fs;

use ipc_common::{Error, Key, Result};
use nix::unistd::{Gid, Uid};

use super::Stat;
use super::stat::{SHM_DEST, SHM_LOCKED, moment};
use crate::Mode;

const TABLE: &str = "/proc/sysvipc/shm";

/// All segments, of all users, in the kernel's order.
///
/// # Errors
///
/// `ENOENT` if the kernel has no System V IPC, or `/proc` is not mounted.
pub fn list() -> Result<Vec<Stat>> {
    let table = fs::read_to_string(TABLE).map_err(|error| {
        Error::from_io("open", &error, TABLE)
            .with_remedy("this kernel was built without System V IPC, or /proc is not mounted")
    })?;
    Ok(table.lines().skip(1).filter_map(row).collect())
}

/// A row of the table (proc_sysvipc(5)):
/// `key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap`.
fn row(line: &str) -> Option<Stat> {
    let mut columns = line.split_whitespace();
    let key = columns.next()?.parse().ok()?;
    let id = columns.next()?.parse().ok()?;
    let mode = u32::from_str_radix(columns.next()?, 8).ok()?;
    let size = columns.next()?.parse().ok()?;
    let creator_pid = columns.next()?.parse().ok()?;
    let last_pid = columns.next()?.parse().ok()?;
    let attached = columns.next()?.parse().ok()?;
    let mut number = || columns.next()?.parse::<u32>().ok();
    let [owner, group, creator, creator_group] = [number()?, number()?, number()?, number()?];
    let mut time = || columns.next()?.parse::<i64>().ok().map(moment);
    let [attached_at, detached_at, changed_at] = [time()?, time()?, time()?];
    Some(Stat {
        id,
        key: Key::from_raw(key),
        size,
        mode: Mode::from_kernel(mode),
        owner: Uid::from_raw(owner),
        group: Gid::from_raw(group),
        creator: Uid::from_raw(creator),
        creator_group: Gid::from_raw(creator_group),
        attached,
        creator_pid,
        last_pid,
        attached_at,
        detached_at,
        changed_at,
        marked_for_removal: mode & SHM_DEST != 0,
        locked: mode & SHM_LOCKED != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_row_marked_for_removal_reads_as_such() {
        let line = " 0 32769 1644 1024 10 11 2 1000 100 1001 101 5 0 7 4096 0";
        let stat = row(line).unwrap();
        assert_eq!((stat.id, stat.size, stat.attached), (32769, 1024, 2));
        assert!(stat.key.is_private() && stat.marked_for_removal && !stat.locked);
        assert_eq!(stat.mode.to_string(), "0644");
        assert_eq!((stat.detached_at, stat.changed_at), (None, moment(7)));
        assert_eq!(stat.creator, Uid::from_raw(1001));
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic(line: String) {
            let _ = row(&line);
        }
    }
}
