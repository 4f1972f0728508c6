//! Whose fault it is that a call of ours failed: a student's program can close its folder, fill its
//! disk, or take a key, and what we do there then fails. That is no failure of the grader's: it would
//! be one for ever, and the submission without points, and without a zero.

use ipc_common::{Errno, Error};

use crate::check::Stop;
use crate::sandbox::Mode;

/// For a call on files of the student's user, in a folder of its own.
pub(super) fn for_files(error: Error, mode: Mode) -> Stop {
    use Errno::{EACCES, EDQUOT, EEXIST, EISDIR, ELOOP, ENOENT, ENOSPC, ENOTDIR, EPERM};
    let is_theirs = match error.errno() {
        EACCES | EPERM | EEXIST | ENOENT | ENOTDIR | EISDIR | ELOOP => !is_ours(&error),
        // Elsewhere anybody may have filled the disk.
        ENOSPC | EDQUOT => mode == Mode::Full,
        _ => false,
    };
    match is_theirs {
        true => Stop::failed("a folder that can be used, with room in it", error.to_string()),
        false => error.into(),
    }
}

/// For a call on System V objects of the student's user.
pub(super) fn for_objects(error: Error, mode: Mode) -> Stop {
    match error.errno() {
        Errno::EEXIST => Stop::failed("a key that is free", error.to_string()),
        Errno::ENOSPC | Errno::ENOMEM if mode == Mode::Full => {
            Stop::failed("room for another object", error.to_string())
        }
        _ => error.into(),
    }
}

/// For starting a program: the folder that it is to start in is the student's.
pub(super) fn for_start(error: Error, mode: Mode) -> Stop {
    if error.about().ends_with("(chdir)") { for_files(error, mode) } else { error.into() }
}

/// Whether it was our own step to the student's user that failed, and not what was done then.
fn is_ours(error: &Error) -> bool {
    matches!(error.call(), "seteuid" | "setegid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_program_can_do_is_its_fault() {
        let failed = |stop: Stop| matches!(stop, Stop::Failed(_));
        let error = |call, errno| Error::new(call, errno, "x");
        for errno in [Errno::EACCES, Errno::EEXIST, Errno::ENOENT, Errno::ENOTDIR, Errno::ELOOP] {
            assert!(failed(for_files(error("open", errno), Mode::RunUid)), "{errno}");
        }
        for errno in [Errno::EIO, Errno::EMFILE, Errno::ENOMEM, Errno::EROFS] {
            assert!(!failed(for_files(error("open", errno), Mode::Full)), "{errno}");
        }
        // Full is one's own disk, or everybody's.
        assert!(failed(for_files(error("open", Errno::ENOSPC), Mode::Full)));
        assert!(!failed(for_files(error("open", Errno::ENOSPC), Mode::Landlock)));
        assert!(!failed(for_objects(error("shmget", Errno::ENOSPC), Mode::RunUid)));
        assert!(failed(for_objects(error("semctl", Errno::EACCES), Mode::RunUid)));
        // The way to the student's user.
        assert!(!failed(for_files(error("seteuid", Errno::EPERM), Mode::Full)));
        let start = |about| Error::refused("start", Errno::EACCES, about);
        assert!(failed(for_start(start("/driver (chdir)"), Mode::Full)));
        assert!(!failed(for_start(start("/driver (execve)"), Mode::Full)));
    }
}
