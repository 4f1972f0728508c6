//! `demo`: its story, and what is left of it however it ends.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use page_sync::file::PageFile;
use page_sync::inspect::FileSystem;
use testkit::Program;

use crate::common::names;
use crate::program::*;

pub fn demo(folder: &Path) -> Command {
    let mut command = page_sync(["demo"]);
    command.env("TMPDIR", folder);
    command
}

pub fn the_demo_tells_its_story_and_leaves_nothing() {
    let folder = testkit::folder();
    let told = Program::run(&mut demo(folder.path())).ok();
    for part in ["1. ", "2. ", "3. kill -9", "4. msync", "5. ", "Now you"] {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
    assert_eq!(told.matches("\"This is a test\"").count(), 4, "stored, read, read after kill -9");
    assert!(told.contains("of 1000 reads 0 found it in pieces"), "{told}");
    let first = told.lines().next().unwrap().trim();
    let at = first.strip_prefix("in ").and_then(|line| line.split(", on ").next()).unwrap();
    assert!(at.contains("page-sync-demo-") && !Path::new(at).exists(), "{first}");
    assert_eq!(names(folder.path()), Vec::<String>::new());
    assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
}

pub fn the_demo_shows_dirty_and_clean() {
    let folder = testkit::folder();
    let on = FileSystem::of(fs::File::open(folder.path()).unwrap());
    sooner_or_later("stored, after kill -9, MS_ASYNC: dirty; MS_SYNC: clean", || {
        let told = Program::run(&mut demo(folder.path())).ok();
        assert!(told.contains(&format!(", on {on}")), "{told}");
        let states: Vec<&str> =
            told.lines().filter_map(|line| line.trim().strip_prefix("page 0 is ")).collect();
        states == ["dirty", "dirty", "dirty", "clean"]
    });
}

/// At any moment: nothing is left of it once it has ended.
pub fn a_demo_that_is_interrupted_leaves_nothing() {
    for part in ["1. ", "2. ", "4. msync", "5. "] {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let folder = testkit::folder();
            let mut running = Program::start(&mut demo(folder.path()));
            running.line_with(part);
            running.signal(signal);
            let finished = running.finish();
            let ended_before = finished.code() == Some(0);
            assert!(
                ended_before || finished.status.signal() == Some(signal as i32),
                "{finished:?}"
            );
            assert_eq!(names(folder.path()), Vec::<String>::new());
        }
    }
}

/// Its cleaner outlives it.
pub fn a_demo_that_is_killed_leaves_nothing() {
    let folder = testkit::folder();
    let mut running = Program::start(&mut demo(folder.path()));
    running.line_with("5. ");
    running.kill_9();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !names(folder.path()).is_empty() {
        assert!(std::time::Instant::now() < until, "left: {:?}", names(folder.path()));
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // Until the cleaner itself has gone; the sweep would blame it.
    std::thread::sleep(std::time::Duration::from_millis(500));
}

/// And as long as it has to: a replacement that is under way ends when its disk does, and holds a
/// lock until then.
pub fn the_cleaner_of_a_killed_demo_waits_for_a_slow_disk() {
    let folder = testkit::folder();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync"]);
    strace.args(["-e", "inject=fsync:delay_enter=1500000"]);
    strace.arg(env!("CARGO_BIN_EXE_page-sync")).arg("demo").env("TMPDIR", folder.path());
    let mut running = Program::start(&mut strace);
    let first = running.line_with("in ");
    let at = first.trim().strip_prefix("in ").and_then(|line| line.split(", on ").next());
    let stage = Path::new(at.unwrap()).to_owned();
    running.line_with("written in place");
    while !names(&stage).iter().any(|name| name.ends_with(".replacement")) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let children = format!("/proc/{0}/task/{0}/children", running.pid());
    let demo: i32 = fs::read_to_string(children).unwrap().trim().parse().unwrap();
    kill(Pid::from_raw(demo), Signal::SIGKILL).unwrap();
    // strace ends when all of them have, the cleaner too.
    running.finish();
    assert!(!stage.exists(), "left: {:?}", names(&stage));
}

pub fn a_closed_pipe_is_no_error() {
    let program = env!("CARGO_BIN_EXE_page-sync");
    let line = format!("'{program}' demo | head -1; echo ${{PIPESTATUS[0]}}");
    let folder = testkit::folder();
    let mut bash = Command::new("bash");
    let told = Program::run(bash.args(["-c", &line]).env("TMPDIR", folder.path())).ok();
    assert!(told.ends_with("\n0\n"), "{told}");
    // The file of a page outlives nobody.
    assert!(PageFile::open(folder.file("page")).is_err());
    assert_eq!(names(folder.path()), Vec::<String>::new());
}
