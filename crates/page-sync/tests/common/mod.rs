//! What these tests share.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use ipc_common::PageSize;
use page_sync::file::PageFile;
use testkit::{Finished, Folder, Program};

/// Says, to the process under strace, that it is the one.
const INJECTED: &str = "PAGE_SYNC_INJECTED";

pub fn page() -> usize {
    PageSize::system().bytes()
}

/// A new file of so many pages, each filled with its number, and its folder.
pub fn file_of(count: usize) -> (Folder, PageFile) {
    let folder = testkit::folder();
    let file = PageFile::create_new(folder.file("file"), count).unwrap();
    for number in 0..count {
        file.page_mut(number).unwrap().fill(0, page(), number as u8).unwrap();
    }
    (folder, file)
}

/// The names in a folder, in order.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Runs `body` in this very case, started once more under strace, which tampers with its system
/// calls: `fsync:error=EIO:when=1`. It has to end well, unless strace kills it.
pub fn injected(what: &[&str], body: fn()) -> Option<Finished> {
    if env::var_os(INJECTED).is_some() {
        body();
        return None;
    }
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null"]);
    let calls: Vec<&str> = what.iter().map(|what| what.split(':').next().unwrap()).collect();
    strace.arg("-e").arg(format!("trace={}", calls.join(",")));
    for what in what {
        strace.arg("-e").arg(format!("inject={what}"));
    }
    // The name of the case is in the environment.
    strace.arg(env::current_exe().unwrap()).env(INJECTED, "1");
    Some(Program::run(&mut strace))
}

/// The same, for a body that has to end well.
pub fn injected_ok(what: &[&str], body: fn()) {
    if let Some(finished) = injected(what, body) {
        assert!(finished.status.success(), "{what:?}: {finished:?}");
    }
}
