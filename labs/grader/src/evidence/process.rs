//! A process, as /proc shows it.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use ipc_common::{Errno, Error};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::{Pid, SysconfVar, sysconf};

use crate::check::Stop;
use crate::sandbox::Identity;

/// A line of /proc/PID/maps (proc_pid_maps(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The first address.
    pub start: u64,
    /// One past the last address.
    pub end: u64,
    /// May it be read?
    pub read: bool,
    /// May it be written?
    pub write: bool,
    /// Whether others see what is written: MAP_SHARED, and every segment.
    pub shared: bool,
    /// Where in the file it begins.
    pub offset: u64,
    /// The file's inode; the number (shmid) of a segment.
    pub inode: u64,
    /// The file's path, `/SYSV…` for a segment, a name in brackets, or nothing. ` (deleted)`
    /// follows the path of a file that has lost it, and every segment.
    pub name: PathBuf,
}

impl Mapping {
    /// Whether it is an attached segment, with this number.
    pub fn is_segment(&self, id: i32) -> bool {
        self.name.as_os_str().as_encoded_bytes().starts_with(b"/SYSV")
            && i32::try_from(self.inode) == Ok(id)
    }
}

/// What a process has mapped.
///
/// # Errors
///
/// [`Stop::Failed`] if it has ended; [`Stop::Grader`] if we may not look.
pub(crate) fn maps(pid: i32, identity: Identity) -> Result<Vec<Mapping>, Stop> {
    let path = format!("/proc/{pid}/maps");
    // As the program's user: root of a container may not look into other users' processes.
    let read = identity.does(|| fs::read(&path).map_err(|e| Error::from_io("open", &e, &path)));
    match read {
        Ok(bytes) if bytes.is_empty() => {
            Err(Stop::failed("the program is still running", "it has ended"))
        }
        Ok(bytes) => Ok(bytes.split(|byte| *byte == b'\n').filter_map(mapping).collect()),
        Err(error) if matches!(error.errno(), Errno::ENOENT | Errno::ESRCH) => {
            Err(Stop::failed("the program is still running", "it has ended"))
        }
        Err(error) => Err(error.into()),
    }
}

fn mapping(line: &[u8]) -> Option<Mapping> {
    // Five columns, and the rest of the line is the name, blanks and all.
    let mut rest = line;
    let mut column = || {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        std::str::from_utf8(word).ok()
    };
    let (start, end) = column()?.split_once('-')?;
    let flags = column()?.as_bytes();
    let offset = column()?;
    let _device = column()?;
    let inode = column()?.parse().ok()?;
    let hex = |digits| u64::from_str_radix(digits, 16).ok();
    Some(Mapping {
        start: hex(start)?,
        end: hex(end)?,
        read: flags.first() == Some(&b'r'),
        write: flags.get(1) == Some(&b'w'),
        shared: flags.get(3) == Some(&b's'),
        offset: hex(offset)?,
        inode,
        name: PathBuf::from(OsString::from_vec(rest.trim_ascii_start().to_vec())),
    })
}

/// The state of a process: `R` running, `S` waiting, `D` for a disk, `T` stopped, `Z` ended and not
/// waited for; `None` if there is no such process.
pub fn state(pid: i32) -> Option<char> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, brackets too.
    let after = stat.iter().rposition(|byte| *byte == b')')? + 2;
    stat.get(after).copied().map(char::from)
}

/// How much CPU time a process has used, all its threads together; nothing if there is none.
pub fn cpu_time(pid: i32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    // The 14th and 15th field; the first two stand before the bracket.
    let ticks: u64 = after.split_whitespace().skip(11).take(2).flat_map(str::parse::<u64>).sum();
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().map_or(100, i64::unsigned_abs);
    Duration::from_millis(ticks * 1000 / per_second.max(1))
}

/// How much CPU time a process has used, to the nanosecond: clock_getcpuclockid(3). Nothing if there is
/// none.
pub fn cpu_clock(pid: i32) -> Duration {
    let clock = clock_getcpuclockid(Pid::from_raw(pid));
    clock.and_then(ClockId::now).map(Duration::from).unwrap_or_default()
}

/// The inodes of the regular files that a process has open: /proc/PID/fd (proc_pid_fd(5)).
///
/// # Errors
///
/// [`Stop::Failed`] if it has ended; [`Stop::Grader`] if we may not look.
pub(crate) fn open_files(pid: i32, identity: Identity) -> Result<Vec<u64>, Stop> {
    let path = format!("/proc/{pid}/fd");
    let failed = |error| Error::from_io("open", &error, &path);
    // As the program's user, as for `maps`.
    let look = || {
        let entries: Vec<_> = fs::read_dir(&path).map_err(failed)?.flatten().collect();
        // A descriptor that was closed meanwhile is none.
        let files = entries.iter().filter_map(|entry| fs::metadata(entry.path()).ok());
        Ok(files.filter(Metadata::is_file).map(|file| file.ino()).collect())
    };
    identity.does(look).map_err(|error: Error| match error.errno() {
        Errno::ENOENT | Errno::ESRCH => {
            Stop::failed("the program is still running", "it has ended")
        }
        _ => error.into(),
    })
}

/// How long the first thread of a process has run, and how long it has waited for a processor to run on,
/// being ready: a machine that is busy with others. Nothing if there is no such process, or the kernel
/// keeps no such account (`/proc/PID/schedstat`, the kernel's sched-stats.rst).
pub fn ran_and_waited(pid: i32) -> (Duration, Duration) {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    let mut columns = text.split_whitespace().map(|word| word.parse().unwrap_or_default());
    let mut next = || Duration::from_nanos(columns.next().unwrap_or_default());
    (next(), next())
}

/// The children of a process's first thread; none if the kernel does not tell.
pub(crate) fn children(pid: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_maps_is_read_and_a_name_may_have_blanks() {
        let line = b"7f00-7f10 rw-s 00001000 00:01 32770    /SYSV0000beef (deleted)";
        let found = mapping(line).unwrap();
        assert_eq!((found.start, found.end, found.offset), (0x7f00, 0x7f10, 0x1000));
        assert!(found.read && found.write && found.shared && found.is_segment(32770));
        assert_eq!(found.name, PathBuf::from("/SYSV0000beef (deleted)"));
        assert_eq!(mapping(b"nonsense"), None);
        assert!(mapping(b"0-1 r--p 0 00:00 0").unwrap().name.as_os_str().is_empty());
    }

    #[test]
    fn work_takes_cpu_time_and_nobody_takes_none() {
        let me = std::process::id().cast_signed();
        let before = cpu_time(me);
        while cpu_time(me) == before {}
        assert_eq!(cpu_time(0), Duration::ZERO);
    }

    #[test]
    fn the_clock_of_a_process_runs_while_it_works() {
        let me = std::process::id().cast_signed();
        let before = cpu_clock(me);
        while cpu_clock(me) < before + Duration::from_micros(100) {}
        // More than any process can have (proc_sys_kernel(5), pid_max).
        assert_eq!(cpu_clock(1 << 23), Duration::ZERO);
    }

    #[test]
    fn an_open_file_is_seen_and_a_closed_one_is_not() {
        let me = std::process::id().cast_signed();
        let file = fs::File::open(std::env::current_exe().unwrap()).unwrap();
        let inode = file.metadata().unwrap().ino();
        assert!(open_files(me, Identity::Same).unwrap().contains(&inode));
        drop(file);
        assert!(!open_files(me, Identity::Same).unwrap().contains(&inode));
    }

    #[test]
    fn this_very_process_is_there_and_none_has_number_0() {
        assert!(state(std::process::id().cast_signed()).is_some());
        assert_eq!(state(0), None);
        assert!(maps(std::process::id().cast_signed(), Identity::Same).unwrap().len() > 5);
    }
}
