//! What these cases share.

use std::fs;
use std::process::Command;

use ipc_common::Errno;
use page_sync::durable::{Content, NotReplaced, Replaced};
use testkit::Program;

pub fn refused(result: Result<Replaced, NotReplaced>, errno: Errno) -> NotReplaced {
    let not = result.expect_err("it was replaced");
    assert_eq!((not.error().errno(), not.content()), (errno, Content::Old), "{not}");
    assert!(not.to_string().ends_with("the old content is in place"), "{not}");
    not
}

pub fn fine(result: Result<Replaced, NotReplaced>) -> Replaced {
    result.unwrap_or_else(|not| panic!("{not}"))
}

/// The system calls of this case's `body`, as strace shows them; `None` if we are the one traced.
pub fn traced(calls: &str, body: fn()) -> Option<Vec<String>> {
    if std::env::var_os("PAGE_SYNC_TRACED").is_some() {
        body();
        return None;
    }
    let folder = testkit::folder();
    let log = folder.file("log");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-e", &format!("trace={calls}"), "-o"]).arg(&log);
    strace.arg(std::env::current_exe().unwrap()).env("PAGE_SYNC_TRACED", "1");
    Program::run(&mut strace).ok();
    let text = fs::read_to_string(&log).unwrap();
    let call = |line: &str| line.split_once(' ').map(|(_pid, call)| call.trim().to_owned());
    Some(text.lines().filter_map(call).collect())
}
