//! How often a process faulted: getrusage(2), and /proc/PID/stat for others.
//!
//! True for: the whole process since it began. A minor fault found its page in memory, or made it of
//! zeros, or copied it; it may still have waited for a page that readahead had asked for. A major one
//! did not find its page in the page cache, and mostly waited for the disk (not in a file's hole, of
//! which there is nothing to read). Fault-around maps several pages at one fault, so there are fewer
//! faults than pages.

use std::fs;
use std::ops::Sub;

use nix::sys::resource::{UsageWho, getrusage};

use super::pagemap::reason;
use super::{Answer, Reason};

/// Numbers of faults.
///
/// ```
/// use page_sync::inspect::faults;
///
/// let before = faults::mine();
/// let touched = std::hint::black_box(vec![1_u8; 1 << 22]);
/// assert!((faults::mine() - before).minor > 0, "{}", touched.len());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Found the page in memory, or needed none.
    pub minor: u64,
    /// Did not find the page in memory.
    pub major: u64,
}

/// Between two moments. Of another process the numbers may be those of a later one with the same
/// id, so this does not go below zero.
impl Sub for Faults {
    type Output = Faults;

    fn sub(self, before: Faults) -> Faults {
        Faults {
            minor: self.minor.saturating_sub(before.minor),
            major: self.major.saturating_sub(before.major),
        }
    }
}

/// Those of this process so far.
///
/// # Panics
///
/// If the kernel does not know how to count for `RUSAGE_SELF`, which POSIX rules out.
pub fn mine() -> Faults {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("RUSAGE_SELF is always there");
    let number = |faults: i64| u64::try_from(faults).unwrap_or(0);
    Faults { minor: number(usage.minor_page_faults()), major: number(usage.major_page_faults()) }
}

/// Those of another process so far. Everybody may know that.
pub fn of(pid: u32) -> Answer<Faults> {
    match fs::read(format!("/proc/{pid}/stat")) {
        Ok(stat) => match parse(&stat) {
            Some(faults) => Answer::Known(faults),
            None => Answer::Unknown(Reason::Gone { pid }),
        },
        Err(error) => Answer::Unknown(reason(&error, pid)),
    }
}

/// `12 (name) S …`, fields 10 and 12 (proc_pid_stat(5)). The name may hold anything, even `)`.
fn parse(stat: &[u8]) -> Option<Faults> {
    let behind_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let fields = std::str::from_utf8(&stat[behind_name..]).ok()?;
    let mut fields = fields.split_ascii_whitespace().skip(7);
    let minor = fields.next()?.parse().ok()?;
    let major = fields.nth(1)?.parse().ok()?;
    Some(Faults { minor, major })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_brackets_and_blanks_is_no_field() {
        let stat = b"7 (a) 1 (b c\xff) S 1 7 7 0 -1 4194304 11 0 22 0 5 6 0 0";
        assert_eq!(parse(stat), Some(Faults { minor: 11, major: 22 }));
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"7 (a) S 1"), None);
    }

    #[test]
    fn both_ways_to_ask_agree_about_this_process() {
        let before = mine();
        let by_proc = of(std::process::id()).known().unwrap();
        let after = mine();
        assert!((before.minor..=after.minor).contains(&by_proc.minor));
    }
}
