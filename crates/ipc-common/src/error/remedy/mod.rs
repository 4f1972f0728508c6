//! What an errno means for the call it came from, and what to do about it.
//!
//! The same `EINVAL` is a size that is too large from `shmget`, an address that is not aligned
//! from `msync`, and a segment that is already gone from `shmat`; so the tables go by call.

mod files;
mod memory;
mod sysv;

use nix::errno::Errno;

/// A call, the errnos it may give, and the sentence for a student.
type Row = (&'static str, Errno, &'static str);

/// The sentence for `errno` from `call`: the call's own, else the errno's, else the C library's.
pub(super) fn of(call: &str, errno: Errno) -> &'static str {
    [sysv::ROWS, files::ROWS, memory::ROWS]
        .into_iter()
        .flatten()
        .find(|(of_call, of_errno, _)| *of_call == call && *of_errno == errno)
        .map(|(_, _, sentence)| *sentence)
        .or_else(|| whatever_the_call(errno))
        .unwrap_or_else(|| errno.desc())
}

/// Errnos that mean the same wherever they come from.
fn whatever_the_call(errno: Errno) -> Option<&'static str> {
    Some(match errno {
        Errno::EACCES => {
            "permission denied; ask the owner to widen the mode, or use something of your own"
        }
        Errno::EPERM => "only the owner or root may do this; see who owns it first",
        Errno::EINTR => "a signal interrupted the call; call it again",
        Errno::EMFILE => "this process has too many files open; close some, or raise `ulimit -n`",
        Errno::ENFILE => "the whole system has too many files open; close some programs",
        Errno::ENOMEM => {
            "the kernel has no memory or address space left for this; free some, or see `ulimit -v`"
        }
        Errno::ENOSPC => "no space is left; free some, then try again",
        Errno::EDQUOT => "your disk quota is used up; delete something, then try again",
        Errno::EIO => "the device failed; data may be lost, so look at `dmesg` and keep a copy",
        Errno::ENOSYS => "this kernel does not have the call; Linux 5.15 or newer is needed",
        Errno::EROFS => "the file system is mounted read-only; use a file somewhere else",
        Errno::ENOENT => "there is no such thing; check the name",
        Errno::EFAULT => "an address given to the kernel is not mapped that way in this process",
        Errno::EPIPE => "nobody reads at the other end any more",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> impl Iterator<Item = &'static Row> {
        [sysv::ROWS, files::ROWS, memory::ROWS].into_iter().flatten()
    }

    #[test]
    fn the_same_errno_reads_differently_for_different_calls() {
        assert_ne!(of("shmget", Errno::EINVAL), of("msync", Errno::EINVAL));
        assert_ne!(of("open", Errno::EACCES), of("shmget", Errno::EACCES));
    }

    #[test]
    fn every_call_and_errno_has_one_sentence_that_fits_on_a_line() {
        let mut seen = std::collections::HashSet::new();
        for (call, errno, sentence) in rows() {
            assert!(seen.insert((call, *errno as i32)), "{call} {errno:?} stands twice");
            assert!(sentence.len() > 20 && !sentence.contains('\n'), "{call} {errno:?}");
            assert!(!sentence.ends_with('.'), "{call} {errno:?}: no full stop, it ends a line");
        }
    }

    #[test]
    fn an_errno_nobody_wrote_about_still_says_something() {
        assert!(!of("shmget", Errno::EXDEV).is_empty());
    }
}
