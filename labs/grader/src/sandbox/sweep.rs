//! Ending and removing what is left of a run: processes, System V objects, files.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Gid, Pid, Uid, geteuid, getuid, setgroups, setresgid, setresuid};

use ipc_common::Result;

use super::{Identity, Mode, fence, sys};
use crate::evidence::census::{self, Object};

/// How long the kernel may take to end what was killed.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
const NAP: Duration = Duration::from_micros(200);

/// Kills every process of this one's namespace, of which it is PID 1, and waits until they are gone.
pub(super) fn everyone_in_my_namespace() {
    // Anywhere else it would be everyone on the machine.
    if std::process::id() == 1 {
        everyone_whom_i_may_signal();
    }
}

/// Kills every process of the Landlock domain that this one has entered, and waits likewise.
pub(super) fn everyone_in_my_domain(_: &fence::Domain) {
    everyone_whom_i_may_signal();
}

/// kill(2) with -1 passes over the caller, and is atomic: no process can fork while it looks.
fn everyone_whom_i_may_signal() {
    until_no_child_is_left(|| {
        let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
    });
}

/// Kills every process below this one, and waits for them. Who forks faster than it is killed can
/// outrun this: hence the modes that are better.
pub(super) fn descendants() {
    until_no_child_is_left(|| {
        for pid in below(std::process::id().cast_signed()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    });
}

/// Ends all programs of a run, and waits until they are gone. For the process that has them below it,
/// and nothing else.
pub(crate) fn run(mode: Mode, identity: Identity) {
    match (mode, identity) {
        (Mode::Full, _) => everyone_in_my_namespace(),
        (Mode::RunUid, Identity::Run(id)) => all_of_user(id),
        // The keepers have the domains; they go by themselves, once nobody holds their sockets.
        (Mode::Landlock, _) => orphans(),
        _ => descendants(),
    }
}

/// Waits for the children that end by themselves, for a while, and kills what is left then. For the
/// keepers of a check that was killed: each has to end what it keeps, and knows best how.
fn orphans() {
    const GRACE: Duration = Duration::from_secs(5);
    let begun = Instant::now();
    until_no_child_is_left(|| {
        if begun.elapsed() > GRACE {
            for pid in below(std::process::id().cast_signed()) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
    });
}

/// For a process that adopts orphans (a subreaper, or PID 1).
fn until_no_child_is_left(mut kill_them: impl FnMut()) {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        kill_them();
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => break,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
        sleep(NAP);
    }
}

/// The processes below one, by /proc.
pub(crate) fn below(root: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let Some((pid, parent)) = pid.and_then(|pid| Some((pid, parent_of(pid)?))) else {
            continue;
        };
        children.entry(parent).or_default().push(pid);
    }
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        let below = children.remove(&pid).unwrap_or_default();
        found.extend(&below);
        next.extend(below);
    }
    found
}

fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let after = stat.iter().rposition(|byte| *byte == b')')? + 2;
    std::str::from_utf8(&stat[after..]).ok()?.split_whitespace().nth(1)?.parse().ok()
}

/// Kills every process of a run's user, and waits until there is none, and no child of ours.
fn all_of_user(id: u32) {
    let until = Instant::now() + PATIENCE;
    loop {
        until_no_child_is_left(|| {
            kill_as_user(id);
            // The keepers are root's. One that is just starting a program would be too late.
            for pid in below(std::process::id().cast_signed()) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        });
        if !has_processes(id) || Instant::now() > until {
            return;
        }
        kill_as_user(id);
        sleep(NAP);
    }
}

/// A helper becomes the user, for whom kill(2) with -1 reaches exactly its own. It may be killed by
/// one of those whom it is to kill; so this is done until there is nobody left. (What kill returns
/// tells nothing: it is 0, too, if everybody else refused.)
fn kill_as_user(id: u32) {
    let helper = sys::fork(CloneFlags::empty(), || {
        let (user, group) = (Uid::from_raw(id), Gid::from_raw(id));
        let became = setgroups(&[])
            .and_then(|()| setresgid(group, group, group))
            .and_then(|()| setresuid(user, user, user));
        // As anybody else, kill(-1) would be a catastrophe.
        if became.is_ok() && getuid() == user && geteuid() == user && id != 0 {
            let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
        }
        0
    });
    if let Ok(helper) = helper {
        let _ = waitpid(helper, None);
    }
}

/// Whether a user has any process: by /proc/PID/status, which everybody may read. (The owner of
/// /proc/PID is root for one that made itself undumpable.)
pub(crate) fn has_processes(id: u32) -> bool {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers =
        entries.filter(|entry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit));
    numbers.map(|entry| entry.path().join("status")).any(|status| {
        let text = fs::read_to_string(status).unwrap_or_default();
        let uids = text.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
        uids.split_whitespace().any(|uid| uid.parse() == Ok(id))
    })
}

/// Removes the System V objects of a run. In words, what there was.
///
/// # Errors
///
/// If they cannot be listed.
pub(crate) fn objects(mode: Mode, identity: Identity, before: &[Object]) -> Result<Vec<String>> {
    let all = census::all()?;
    let attached: Vec<&Object> = all.iter().filter(|object| object.attached > 0).collect();
    // Semaphores have the key of the segment that they serve.
    let is_in_use = |object: &Object| {
        attached.iter().any(|other| match object.key {
            0 => other.kind == object.kind && other.id == object.id,
            key => other.key == key,
        })
    };
    let mut removed = Vec::new();
    for &object in &all {
        let ours = is_of_the_run(&object, mode, identity, before);
        // Others' objects may have ours' properties where all lie side by side: a board that the
        // same person tries by hand meanwhile. But all processes of the run are dead by now: what
        // was made by a living one, or is attached, is none of theirs.
        let ours =
            ours && (has_its_own(mode, identity) || (!maker_lives(&object) && !is_in_use(&object)));
        // One that has gone by itself is fine; one that cannot be removed is seen by who looks next.
        if ours && object.remove(identity).is_ok() {
            removed.push(object.to_string());
        }
    }
    Ok(removed)
}

/// Whether System V objects of a run are told from all others: by its namespace, or by its user.
pub(crate) fn has_its_own(mode: Mode, identity: Identity) -> bool {
    mode == Mode::Full || matches!(identity, Identity::Run(_))
}

/// Whether a System V object was made by the programs of a run. In a namespace or by a user of the
/// run's own this is certain; else it is one that is new and belongs to us.
pub(crate) fn is_of_the_run(
    object: &Object,
    mode: Mode,
    identity: Identity,
    before: &[Object],
) -> bool {
    let known = before.iter().any(|other| (other.kind, other.id) == (object.kind, object.id));
    match (mode, identity) {
        (Mode::Full, _) => !known,
        (_, Identity::Run(id)) => !known && (object.owner == id || object.creator == id),
        _ => !known && object.creator == geteuid().as_raw(),
    }
}

/// Whether who made it is still there; not known of every object.
pub(crate) fn maker_lives(object: &Object) -> bool {
    object.maker != 0 && Path::new("/proc").join(object.maker.to_string()).exists()
}
