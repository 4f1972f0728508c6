//! Namespaces: of a whole run, and of one program in it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::wait::wait;
use nix::unistd::{getegid, geteuid};

use ipc_common::{Error, Result};

use super::{Identity, root, sys};

/// Those of a run: the next child is PID 1 in there.
const OF_A_RUN: CloneFlags = CloneFlags::CLONE_NEWPID
    .union(CloneFlags::CLONE_NEWNS)
    .union(CloneFlags::CLONE_NEWIPC)
    .union(CloneFlags::CLONE_NEWNET);

/// Most pages of System V memory in a run's namespace, and most segments, sets and queues. Limits of
/// setrlimit(2) do not count them.
const SYSV: [(&str, u64); 3] = [("shmall", 64 << 20), ("shmmni", 64), ("msgmni", 8)];

/// Enters namespaces for a run; the next fork is PID 1 there. An ordinary user needs a user
/// namespace, and is root in it.
///
/// # Errors
///
/// Those of unshare(2): where they are refused, another mode has to do.
pub(crate) fn enter_for_a_run() -> Result<()> {
    let root = geteuid().is_root();
    let user = if root { CloneFlags::empty() } else { CloneFlags::CLONE_NEWUSER };
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    unshare(OF_A_RUN | user).map_err(|errno| Error::new("unshare", errno, "namespaces"))?;
    if !root {
        map(0, uid, 0, gid).map_err(|(step, errno)| Error::new("write", errno, step))?;
    }
    Ok(())
}

/// Bounds what the run's IPC namespace may hold. /proc has to be that of the run. False if the kernel
/// keeps these limits for the machine's root, as older ones do though the namespace is ours: then
/// [`floods`](super::floods) is all that bounds it, which counts bytes and objects now and then.
///
/// # Errors
///
/// Those of writing them but EACCES and EPERM.
pub(crate) fn bound_sysv() -> Result<bool> {
    bound(Path::new("/proc/sys/kernel"))
}

fn bound(folder: &Path) -> Result<bool> {
    let page = ipc_common::PageSize::system().bytes() as u64;
    for (name, value) in SYSV {
        let value = if name == "shmall" { value / page } else { value };
        let path = folder.join(name);
        let written = fs::write(&path, value.to_string());
        match written.map_err(|error| Error::from_io("write", &error, path.display().to_string())) {
            Err(error) if matches!(error.errno(), Errno::EACCES | Errno::EPERM) => {
                return Ok(false);
            }
            other => other?,
        }
    }
    Ok(true)
}

/// A process namespace for the programs that this process will start: they see each other, as a
/// program has to that asks whether a lock's owner is still alive, and not the checks. Its PID 1
/// does nothing but wait; it dies with this process, and all others with it.
///
/// # Errors
///
/// Those of unshare(2) and clone(2).
pub(crate) fn for_my_programs() -> Result<()> {
    let failed = |call: &'static str| move |errno: Errno| Error::new(call, errno, "programs");
    unshare(CloneFlags::CLONE_NEWPID).map_err(failed("unshare"))?;
    let first = sys::fork(CloneFlags::empty(), || {
        let _ = prctl::set_name(c"init");
        if prctl::set_pdeathsig(Signal::SIGKILL).is_err() {
            return 1;
        }
        // SAFETY: a fresh child that touches nothing of its parent's any more.
        let _ = unsafe { sys::close_from(0) };
        loop {
            // Orphans are ours. Without any there is nobody to wait for, until there is.
            if wait().is_err() {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    });
    first.map(drop).map_err(failed("clone"))
}

/// For the keeper of one program: mounts of its own, with the /proc of the programs, and, for an
/// ordinary user, a user namespace below that of the run: user and group have their numbers again,
/// and no privilege.
pub(super) fn for_one_program(
    identity: Identity,
    own_root: bool,
) -> std::result::Result<(), (&'static str, Errno)> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(|errno| ("unshare", errno))?;
    root::for_one_program(own_root)?;
    if let Identity::Inside { user, group } = identity {
        unshare(CloneFlags::CLONE_NEWUSER).map_err(|errno| ("unshare", errno))?;
        // The files of a process that cannot be dumped belong to root.
        prctl::set_dumpable(true).map_err(|errno| ("prctl", errno))?;
        map(user, 0, group, 0)?;
    }
    Ok(())
}

/// In a new user namespace: what user and group `outside` are called in here. An ordinary user may
/// map a group only once setgroups(2) is given up.
fn map(
    user: u32,
    user_outside: u32,
    group: u32,
    group_outside: u32,
) -> std::result::Result<(), (&'static str, Errno)> {
    write("/proc/self/setgroups", "deny")?;
    write("/proc/self/uid_map", &format!("{user} {user_outside} 1"))?;
    write("/proc/self/gid_map", &format!("{group} {group_outside} 1"))
}

fn write(path: &'static str, text: &str) -> std::result::Result<(), (&'static str, Errno)> {
    let errno = |error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(0));
    fs::write(path, text).map_err(|error| (path, errno(error)))
}

#[cfg(test)]
mod tests {
    use landlock::{AccessFs, Ruleset, RulesetAttr, RulesetStatus};

    use super::*;
    use crate::random::Seed;

    #[test]
    fn limits_that_may_not_be_set_are_no_reason_to_give_up() {
        let name = format!("ipc-course-limits-{}", Seed::fresh().unwrap());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        assert!(bound(&folder).unwrap());
        assert_eq!(fs::read_to_string(folder.join("shmmni")).unwrap(), "64");
        // Root, too, is refused by Landlock; it holds this thread alone.
        let refused = std::thread::scope(|scope| {
            let there = scope.spawn(|| {
                let rules = Ruleset::default().handle_access(AccessFs::WriteFile).unwrap();
                let holds = rules.create().unwrap().restrict_self().unwrap().ruleset;
                (holds == RulesetStatus::FullyEnforced).then(|| bound(&folder))
            });
            there.join().unwrap()
        });
        fs::remove_dir_all(&folder).unwrap();
        // A kernel without Landlock shows nothing.
        assert!(refused.is_none_or(|bounded| !bounded.unwrap()));
    }
}
