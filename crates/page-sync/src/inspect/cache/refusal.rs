//! Why the kernel does not answer. The same errno comes from several causes, and what to do about
//! them differs.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, FcntlArg, OFlag, fcntl};
use nix::sys::stat::fstat;
use nix::sys::utsname::uname;
use nix::unistd::{AccessFlags, faccessat, geteuid};

use crate::inspect::Reason;

const CALL: &str = "cachestat(2)";
const SINCE: &str = "6.5";

/// Why cachestat(2) answered so.
pub(super) fn reason(fd: BorrowedFd<'_>, errno: Errno) -> Reason {
    explain(errno, kernel_version() >= Some((6, 5)), may_ask(fd))
}

fn explain(errno: Errno, has_the_call: bool, may_ask: bool) -> Reason {
    match errno {
        Errno::ENOSYS if has_the_call => Reason::Hidden { call: CALL, since: SINCE },
        Errno::ENOSYS => Reason::OldKernel { call: CALL, since: SINCE },
        // A filter that knows only older calls often says EPERM to newer ones, too.
        Errno::EPERM if !has_the_call => Reason::OldKernel { call: CALL, since: SINCE },
        Errno::EPERM if may_ask => Reason::Filtered { call: CALL, errno },
        Errno::EPERM => Reason::NotYours { call: CALL },
        Errno::EOPNOTSUPP => Reason::HugePages,
        errno => Reason::Failed { call: CALL, errno },
    }
}

/// The rule that the kernel goes by: the file is open for writing, or one's own, or might be opened
/// for writing.
fn may_ask(fd: BorrowedFd<'_>) -> bool {
    let open_for_writing = fcntl(fd, FcntlArg::F_GETFL)
        .is_ok_and(|flags| OFlag::from_bits_truncate(flags) & OFlag::O_ACCMODE != OFlag::O_RDONLY);
    let own = || fstat(fd).is_ok_and(|found| found.st_uid == geteuid().as_raw());
    let writable = || {
        let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
        faccessat(AT_FDCWD, path.as_str(), AccessFlags::W_OK, AtFlags::AT_EACCESS).is_ok()
    };
    open_for_writing || own() || writable()
}

/// `6.18.44-…`: (6, 18).
fn kernel_version() -> Option<(u32, u32)> {
    version(uname().ok()?.release().to_str()?)
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_errno_has_several_causes() {
        let code = |errno, has, may| explain(errno, has, may).code();
        assert_eq!(code(Errno::ENOSYS, false, true), "old-kernel");
        assert_eq!(code(Errno::ENOSYS, true, true), "hidden");
        assert_eq!(code(Errno::EPERM, true, false), "not-yours");
        assert_eq!(code(Errno::EPERM, true, true), "filtered");
        assert_eq!(code(Errno::EPERM, false, false), "old-kernel");
        assert_eq!(code(Errno::EBADF, true, true), "failed");
    }

    #[test]
    fn releases_are_read_as_distributions_write_them() {
        assert_eq!(version("6.18.44-fc-v669"), Some((6, 18)));
        assert_eq!(version("5.15.0-91-generic"), Some((5, 15)));
        assert_eq!(version("6.5-rc1"), Some((6, 5)));
        assert_eq!(version("7"), None);
        assert_eq!(version(""), None);
    }
}
