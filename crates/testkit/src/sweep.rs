//! What a case left behind: processes, segments, semaphore sets, folders. Found by creator, key
//! and path, so that other runs on the machine do not matter.

use std::fs;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::{fresh, program};

/// Everything of this case's that is still there, in words. Removes nothing.
pub fn left_behind() -> Vec<String> {
    let mut left = Vec::new();
    for key in fresh::given_keys() {
        left.extend(segment(key).map(|id| format!("segment {id} with key {key:#010x}")));
        left.extend(semaphores(key).map(|id| format!("semaphore set {id} with key {key:#010x}")));
    }
    for (id, creator) in segments_and_creators() {
        left.push(format!("segment {id}, created by process {creator}"));
    }
    for (id, last) in private_semaphores_and_users() {
        left.push(format!("semaphore set {id}, without a key, last used by process {last}"));
    }
    let folders = fresh::given_folders();
    left.extend(folders.iter().filter(|f| f.exists()).map(|f| format!("folder {}", f.display())));
    left
}

/// Ends and removes what is left, and says what it was.
pub(crate) fn sweep() -> Vec<String> {
    let mut left = children();
    left.extend(left_behind());
    for key in fresh::given_keys() {
        if let Some(id) = segment(key) {
            // SAFETY: IPC_RMID takes no buffer.
            unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) };
        }
        if let Some(id) = semaphores(key) {
            // SAFETY: IPC_RMID takes no fourth argument.
            unsafe { libc::semctl(id, 0, libc::IPC_RMID) };
        }
    }
    for (id, _) in segments_and_creators() {
        // SAFETY: as above.
        unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) };
    }
    for (id, _) in private_semaphores_and_users() {
        // SAFETY: as above.
        unsafe { libc::semctl(id, 0, libc::IPC_RMID) };
    }
    for folder in fresh::given_folders() {
        let _ = fs::remove_dir_all(folder);
    }
    left
}

pub(crate) fn is_used(key: i32) -> bool {
    segment(key).is_some() || semaphores(key).is_some()
}

fn segment(key: i32) -> Option<i32> {
    // SAFETY: shmget takes numbers only.
    found(unsafe { libc::shmget(key, 0, 0) })
}

fn semaphores(key: i32) -> Option<i32> {
    // SAFETY: semget takes numbers only.
    found(unsafe { libc::semget(key, 0, 0) })
}

/// `EACCES` means that it is there and not ours; -1 stands for it.
fn found(result: i32) -> Option<i32> {
    match Errno::result(result) {
        Ok(id) => Some(id),
        Err(Errno::ENOENT) => None,
        Err(_) => Some(-1),
    }
}

/// The id and the creator's process id of every segment that a process of this case created
/// (proc_sysvipc(5): columns 2 and 5; the 14th is the second in which it was created or changed).
fn segments_and_creators() -> Vec<(i32, u32)> {
    let ours = program::started();
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let row = |line: &str| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let (id, by) = (columns.get(1)?.parse().ok()?, columns.get(4)?.parse().ok()?);
        let changed = columns.get(13)?.parse().ok()?;
        ours.iter().any(|ours| ours.is(by, changed)).then_some((id, by))
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// The id of every semaphore set without a key whose first semaphore was last used by a process of
/// this case, and which: nobody writes down who created a set. (The tenth column is the second in
/// which it was created or changed.)
fn private_semaphores_and_users() -> Vec<(i32, u32)> {
    let ours = program::started();
    let table = fs::read_to_string("/proc/sysvipc/sem").unwrap_or_default();
    let row = |line: &str| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let (key, id) = (columns.first()?, columns.get(1)?.parse().ok()?);
        let changed = columns.get(9)?.parse().ok()?;
        // SAFETY: GETPID takes numbers only.
        let last = u32::try_from(unsafe { libc::semctl(id, 0, libc::GETPID) }).ok()?;
        let is_ours = *key == "0" && ours.iter().any(|ours| ours.is(last, changed));
        is_ours.then_some((id, last))
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// Children that are still running, orphans of our programs among them. They are killed.
fn children() -> Vec<String> {
    let mut left = Vec::new();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => {
                for pid in running_children() {
                    left.push(format!("process {pid}: {}", command_line(pid)));
                    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
                    let _ = waitpid(Pid::from_raw(pid), None);
                }
            }
            Ok(_) => {}
            Err(_) => return left,
        }
    }
}

fn running_children() -> Vec<i32> {
    let ours = std::process::id().to_string();
    let parent = |stat: &str| stat.rsplit(')').next()?.split_whitespace().nth(1).map(str::to_owned);
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            fs::read_to_string(format!("/proc/{pid}/stat"))
                .is_ok_and(|stat| parent(&stat).as_deref() == Some(&ours))
        })
        .collect()
}

fn command_line(pid: i32) -> String {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words).replace('\0', " ")
}
