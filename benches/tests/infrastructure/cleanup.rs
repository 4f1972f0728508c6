//! Is nothing left behind, however a bench ends? Files, other processes, segments, semaphores: the
//! sweep of the testkit looks for all but the files when the case ends, and fails it.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use testkit::Program;

use crate::process;

pub fn ctrl_c_leaves_nothing() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        ended_by(signal);
    }
}

pub fn kill_leaves_nothing() {
    ended_by(Signal::SIGKILL);
}

fn ended_by(signal: Signal) {
    let (files, results) = (testkit::folder(), testkit::folder());
    let long = ["--measurement-time", "600"];
    let bench = Program::start(&mut process::command(files.path(), results.path(), &long));
    // In the middle of it: its file is open, and two other processes run.
    let peers = loop_until(|| {
        let peers = children(bench.pid());
        // (It has a file open for a moment at its start, too, to see whether that can be done.)
        (peers.len() == 2 && has_open_below(bench.pid(), files.path())).then_some(peers)
    });
    let pid = bench.pid();
    assert_eq!(sets_last_used_by(pid), 1, "the bench has a semaphore set");
    bench.signal(signal);
    let ended = bench.finish();
    assert_eq!(ended.status.signal(), Some(signal as i32), "it dies of the signal: {ended:?}");
    assert_eq!(fs::read_dir(files.path()).unwrap().count(), 0, "a file has been left");
    // They are told when their parent has gone, and that takes a moment.
    loop_until(|| peers.iter().all(|peer| has_ended(*peer)).then_some(()));
    assert_eq!(sets_last_used_by(pid), 0, "a semaphore set has been left");
}

/// Semaphore sets without a key whose first semaphore this process used last.
fn sets_last_used_by(pid: u32) -> usize {
    let table = fs::read_to_string("/proc/sysvipc/sem").expect("this kernel has semaphores");
    let used_by = |line: &str| {
        let id = line.split_whitespace().nth(1)?.parse().ok()?;
        // SAFETY: GETPID takes numbers only.
        let last = unsafe { libc::semctl(id, 0, libc::GETPID) };
        u32::try_from(last).ok()
    };
    table.lines().skip(1).filter(|line| used_by(line) == Some(pid)).count()
}

/// Waits, for the testkit's patience at most.
fn loop_until<T>(mut there: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(Instant::now() < until, "it does not come about");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn children(of: u32) -> Vec<u32> {
    let listed = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    listed.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn has_open_below(pid: u32, folder: &Path) -> bool {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|to| to.starts_with(folder))
}

/// Gone, or waiting for its new parent to take notice.
fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.map_or(true, |stat| stat.contains(") Z "))
}
