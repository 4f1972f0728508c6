//! What the hostile process uses: the bare calls, without any of the library's manners.

use std::fs;

use ipc_common::Key;
use testkit::Random;

/// A key of this case's, under which everything is removed in the end, whoever made it.
pub struct Ground(pub Key);

impl Ground {
    pub fn new() -> Ground {
        Ground(Key::from_raw(testkit::key()))
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        remove_segment(self.0.raw());
        remove_set(self.0.raw());
    }
}

pub fn remove_segment(key: i32) {
    // SAFETY: numbers only.
    unsafe { libc::shmctl(libc::shmget(key, 0, 0), libc::IPC_RMID, std::ptr::null_mut()) };
}

pub fn remove_set(key: i32) {
    // SAFETY: numbers only.
    unsafe { libc::semctl(libc::semget(key, 0, 0), 0, libc::IPC_RMID) };
}

/// Every set of this IPC namespace, which has to be the case's own.
pub fn remove_all_sets() {
    let table = fs::read_to_string("/proc/sysvipc/sem").unwrap();
    let ids = table.lines().skip(1).map(|line| line.split_whitespace().nth(1).unwrap());
    for id in ids {
        // SAFETY: numbers only.
        unsafe { libc::semctl(id.parse().unwrap(), 0, libc::IPC_RMID) };
    }
}

pub fn make_segment(key: i32, size: usize, mode: i32) -> i32 {
    // SAFETY: numbers only.
    unsafe { libc::shmget(key, size, libc::IPC_CREAT | mode) }
}

pub fn make_set(key: i32, count: i32, mode: i32) -> i32 {
    // SAFETY: numbers only.
    unsafe { libc::semget(key, count, libc::IPC_CREAT | mode) }
}

pub fn set_of(key: i32) -> i32 {
    make_set(key, 0, 0)
}

pub fn set_value(set: i32, number: i32, value: i32) {
    // SAFETY: SETVAL takes an int.
    unsafe { libc::semctl(set, number, libc::SETVAL, value) };
}

pub fn operate(set: i32, number: u16, change: i16, flags: i32) {
    let mut op = libc::sembuf { sem_num: number, sem_op: change, sem_flg: flags as i16 };
    // SAFETY: one operation.
    unsafe { libc::semop(set, &raw mut op, 1) };
}

/// Another mode for a segment. As root, who is kept out of nothing, it changes reports only.
pub fn set_segment_mode(id: i32, mode: u16) {
    // SAFETY: all zeroes is a valid shmid_ds; the kernel fills it, and reads it again.
    unsafe {
        let mut found: libc::shmid_ds = std::mem::zeroed();
        if libc::shmctl(id, libc::IPC_STAT, &raw mut found) == 0 {
            found.shm_perm.mode = mode as _;
            libc::shmctl(id, libc::IPC_SET, &raw mut found);
        }
    }
}

/// The next object of a kind gets this id (`kernel.shm_next_id`, `kernel.sem_next_id`): what takes
/// years of creating and removing otherwise.
pub fn make_next_id(kind: &str, id: i32) {
    let _ = fs::write(format!("/proc/sys/kernel/{kind}_next_id"), id.to_string());
}

/// To be able to choose ids, in an IPC namespace of one's own.
pub fn next_id() -> Result<(), String> {
    testkit::need::namespaces()?;
    testkit::need::root()?;
    fs::metadata("/proc/sys/kernel/shm_next_id")
        .map(|_| ())
        .map_err(|_| "this kernel does not let one choose ids (CONFIG_CHECKPOINT_RESTORE)".into())
}

/// Bytes that a note may not hold among them.
pub fn any_text(random: &mut Random, longest: usize) -> Vec<u8> {
    let (len, letter) = (random.below(longest + 1), random.any() as u8);
    let mut text = vec![letter.max(1); len];
    if random.below(8) == 0 && len > 0 {
        text[random.below(len)] = 0;
    }
    text
}
