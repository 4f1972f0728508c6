//! The program, and the traces that it could leave.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use page_sync::inspect::Answer;
use page_sync::power_cut;
use serde_json::Value;
use testkit::{Finished, Program};

/// Until when traces of something that was killed have to be gone. The kernel takes mounts down
/// after the process has ended.
const PATIENCE: Duration = Duration::from_secs(40);

/// Root, FUSE, loop devices, ext4: all of it.
pub fn power_cut_is_possible() -> Result<(), String> {
    let missing = power_cut::missing();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(missing.iter().map(|thing| thing.to_string()).collect::<Vec<_>>().join("; ")),
    }
}

/// A folder for temporary files of which the page cache tells what is dirty.
pub fn dirty_is_told() -> Result<(), String> {
    match power_cut::page_cache_tells(&std::env::temp_dir()) {
        Ok(Answer::Known(())) => Ok(()),
        other => Err(format!("the page cache does not tell about TMPDIR: {other:?}")),
    }
}

/// setpriv(1), of util-linux.
pub fn setpriv() -> Result<(), String> {
    match Command::new("setpriv").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("there is no setpriv(1)".into()),
    }
}

pub fn page_sync(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_page-sync"));
    command.args(arguments);
    command
}

pub fn run(arguments: &[&str]) -> Finished {
    Program::run(&mut page_sync(arguments))
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Somebody may call sync(2) just then, and the kernel may write by itself if very much is dirty. So
/// what is disturbed is done again, which is not so for ever. What `attempt` says is why it does not
/// count.
pub fn undisturbed<T>(mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let mut rounds = testkit::rounds(1, 1);
    let mut why = String::new();
    while rounds.next(false).is_some() {
        match attempt() {
            Ok(done) => return done,
            Err(disturbed) => why = disturbed,
        }
    }
    panic!("disturbed each time, at last: {why}")
}

/// An experiment that goes on for long, and is in the middle of it.
pub fn running() -> Program {
    let program = Program::start(&mut page_sync(&["power-cut", "--trials", "1000"]));
    wait_for(|| !traces_of(program.pid()).is_empty(), "something to begin");
    program
}

pub fn wait_for(condition: impl Fn() -> bool, what: &str) {
    let until = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < until, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// All that bears the name of an experiment of this process: mounts in any namespace, loop devices,
/// processes, files.
pub fn traces_of(pid: u32) -> Vec<String> {
    let mark = format!("page-sync-{pid}-");
    let mut traces = Vec::new();
    for process in entries("/proc").iter().filter(|name| name.parse::<u32>().is_ok()) {
        let folder = Path::new("/proc").join(process);
        let read = |name: &str| fs::read(folder.join(name)).unwrap_or_default();
        let words = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        if words.contains(&mark) {
            let stat = String::from_utf8_lossy(&read("stat")).into_owned();
            let state = stat.rsplit(')').next().unwrap_or("").trim().chars().next();
            traces.push(format!("process {process} ({state:?}): {words}"));
        }
        // Each thread: it might have a namespace of its own.
        let tasks = folder.join("task");
        for thread in entries(&tasks) {
            let mounts = fs::read(tasks.join(&thread).join("mountinfo")).unwrap_or_default();
            let mounts = String::from_utf8_lossy(&mounts);
            let ours = mounts.lines().filter(|line| line.contains(&mark));
            traces.extend(ours.map(|line| format!("mount of {process}/{thread}: {line}")));
        }
    }
    for disk in entries("/sys/block").iter().filter(|name| name.starts_with("loop")) {
        let file = format!("/sys/block/{disk}/loop/backing_file");
        let file = fs::read_to_string(file).unwrap_or_default();
        if file.contains(&mark) {
            traces.push(format!("{disk} on {file}"));
        }
    }
    let files = entries(std::env::temp_dir());
    traces.extend(files.into_iter().filter(|name| name.contains(&mark)));
    traces
}

fn entries(folder: impl AsRef<Path>) -> Vec<String> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// After an end that the program saw coming: nothing is there, at once.
pub fn assert_no_traces(pid: u32) {
    assert_eq!(traces_of(pid), Vec::<String>::new());
}

/// After `kill -9`: nothing is there once the kernel has cleaned up. What hangs (state D) stays, and
/// is found.
pub fn assert_traces_vanish(pid: u32) {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut traces = traces_of(pid);
        traces.extend(orphans());
        if traces.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "left behind by {pid}: {traces:#?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Children of this case that have not ended: those whose parent was killed, of which nothing else
/// may be left to see.
fn orphans() -> Vec<String> {
    children_of(std::process::id())
}

/// The children of a process that have not ended.
pub fn children_of(pid: u32) -> Vec<String> {
    let of = |process: &String| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let (name, rest) = stat.rsplit_once(')')?;
        let mut words = rest.split_whitespace();
        let (state, parent) = (words.next()?, words.next()?);
        let there = parent == pid.to_string() && state != "Z";
        there.then(|| format!("child {name}) {state}"))
    };
    entries("/proc").iter().filter_map(of).collect()
}
