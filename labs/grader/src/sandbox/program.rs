//! The last steps of a process that becomes a student's program.

use std::fs;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::SigSet;
use nix::unistd::{self, Gid, Uid};

use super::{Identity, Launch, denied, fence, keeper, sys};

/// Which step failed, and why: for the report to the checks.
pub(super) type Failed = (&'static str, Errno);

/// Becomes the program. Returns only if that fails.
pub(super) fn become_it(launch: &Launch) -> Failed {
    match prepare(launch) {
        Err(failed) => failed,
        Ok(()) => {
            let Err(errno) =
                unistd::execve(&launch.program, &launch.arguments, &launch.environment);
            ("execve", errno)
        }
    }
}

fn prepare(launch: &Launch) -> Result<(), Failed> {
    let at = |step: &'static str| move |errno: Errno| (step, errno);
    unistd::setsid().map_err(at("setsid"))?;
    SigSet::empty().thread_set_mask().map_err(at("sigprocmask"))?;
    sys::default_action(libc::SIGPIPE);
    launch.limits.apply(others(launch.identity)).map_err(at("setrlimit"))?;
    // Built while we may still see the paths, closed when we are who we shall be.
    let fence = fence::around(launch.mode, &launch.read, &launch.write)
        .map_err(|_| ("landlock", Errno::last()))?;
    let filter = denied::filter().map_err(|_| ("seccomp", Errno::EINVAL))?;
    if let Identity::Run(id) = launch.identity {
        unistd::setgroups(&[]).map_err(at("setgroups"))?;
        let (user, group) = (Uid::from_raw(id), Gid::from_raw(id));
        unistd::setresgid(group, group, group).map_err(at("setresgid"))?;
        unistd::setresuid(user, user, user).map_err(at("setresuid"))?;
    }
    unistd::chdir(&launch.folder).map_err(at("chdir"))?;
    prctl::set_no_new_privs().map_err(at("no_new_privs"))?;
    keeper::say_who_i_am().map_err(at("sendmsg"))?;
    sys::close_from_at_exec(3).map_err(at("close_range"))?;
    fence.restrict_self().map_err(|_| ("landlock_restrict_self", Errno::last()))?;
    seccompiler::apply_filter(&filter).map_err(|_| ("seccomp", Errno::last()))?;
    Ok(())
}

/// How many processes and threads may count against the limit that are not the program's: those of the
/// user's other programs, unless the user is the run's own. (In a user namespace of ours the kernel
/// starts at nought, and /proc shows none of the others.) Those that are there now, and room for what
/// may start while the program runs: cargo or an editor's language server at the same save.
fn others(identity: Identity) -> u64 {
    const LATER: u64 = 512;
    let later = match identity {
        Identity::Run(_) => return 0,
        Identity::Inside { .. } => 0,
        Identity::Same => LATER,
    };
    let ours = format!("{0}\t{0}\t{0}\t{0}", unistd::geteuid());
    let threads = |status: &str| -> Option<u64> {
        let mut lines = status.lines();
        let uids = lines.find_map(|line| line.strip_prefix("Uid:\t"))?;
        let threads = lines.find_map(|line| line.strip_prefix("Threads:\t"))?;
        if uids == ours { threads.trim().parse().ok() } else { None }
    };
    let now: u64 = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit))
        .filter_map(|entry| threads(&fs::read_to_string(entry.path().join("status")).ok()?))
        .sum();
    now + later
}
