//! The program, and what it says.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use page_sync::inspect::Cache;
use serde_json::Value;
use testkit::{Finished, Program};

pub fn page_sync<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_page-sync"));
    command.args(arguments);
    command
}

pub fn write(text: &str, path: &Path, more: &[&str]) -> Finished {
    Program::run(page_sync(["write", text]).arg(path).args(more))
}

pub fn json(finished: Finished) -> Value {
    let line = finished.ok();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

/// Ended with 1 and one line of complaint that holds these words.
pub fn complains(finished: Finished, words: &[&str]) {
    assert_eq!(finished.code(), Some(1), "{finished:?}");
    assert!(finished.stderr.starts_with("error: ") && finished.stderr.lines().count() == 1);
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is not in {:?}", finished.stderr);
    }
    assert!(finished.stdout.is_empty(), "{finished:?}");
}

/// The words without the line breaks.
pub fn unwrapped(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A file system below the folders of the tests, and a kernel, that tell dirty pages.
pub fn dirty_is_shown() -> Result<(), String> {
    let folder = testkit::folder();
    let file = fs::File::create(folder.file("x")).map_err(|error| error.to_string())?;
    match Cache::of(&file).and_then(|cache| cache.shows_dirty()).reason() {
        None => Ok(()),
        Some(reason) => Err(format!("whether pages of TMPDIR are dirty is {reason}")),
    }
}

/// Anybody on the machine may call sync(2) just then; so what has to be dirty is tried a few times.
pub fn sooner_or_later(what: &str, attempt: impl Fn() -> bool) {
    assert!((0..10).any(|_| attempt()), "never: {what}");
}

/// `page-sync write` under strace, which tampers with a call.
pub fn tampered(what: &[&str], path: &Path, more: &[&str]) -> Finished {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null"]);
    for what in what {
        strace.args(["-e", &format!("trace={}", what.split(':').next().unwrap())]);
        strace.args(["-e", &format!("inject={what}")]);
    }
    strace.arg(env!("CARGO_BIN_EXE_page-sync")).args(["write", "text"]).arg(path).args(more);
    Program::run(&mut strace)
}
