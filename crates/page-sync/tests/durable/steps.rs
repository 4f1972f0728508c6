//! The steps, and what is in place when one fails or the process is killed at it.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use ipc_common::Errno;
use nix::sys::signal::Signal;
use page_sync::durable::{Content, Replaced, leftovers, replace, replace_with};

use crate::common::{injected, names};
use crate::tools::{fine, traced};

/// The file is synced under its hidden name, then renamed, and last the folder is synced.
pub fn the_order_of_the_calls_is_the_promise() {
    let Some(calls) = traced("linkat,fsync,renameat,renameat2,rename,write", || {
        let folder = testkit::folder();
        let _ = fine(replace(folder.file("file"), 0o600, b"content"));
    }) else {
        return;
    };
    let ours: Vec<&str> = calls
        .iter()
        .filter(|call| call.contains("ipc-course-test-"))
        .map(|call| call.split('(').next().unwrap().trim_end_matches('2'))
        .collect();
    assert_eq!(ours, ["write", "linkat", "fsync", "renameat", "fsync"], "{calls:#?}");
}

pub fn nothing_is_seen_until_it_is_complete() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, "old").unwrap();
    let done = replace_with(&path, 0o600, |mut file| {
        file.write_all(b"half").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert!(names(folder.path()).len() <= 2);
        file.write_all(b" and half").unwrap();
        Ok(())
    });
    assert_eq!(fine(done), Replaced { created: false, other_names: 0 });
    assert_eq!(fs::read(&path).unwrap(), b"half and half");
    assert_eq!(names(folder.path()), ["file"]);
}

/// One call at a time fails.
pub fn each_call_that_fails_leaves_what_its_error_says() {
    for what in [
        "fchmod:error=EPERM",
        "linkat:error=EIO",
        "fsync:error=EIO:when=1",
        "fsync:error=EIO:when=2",
        "fsync:error=EDQUOT:when=1",
        "renameat,renameat2:error=EIO",
    ] {
        let Some(finished) = injected(&[what], one_call_fails) else { return };
        assert!(finished.status.success(), "{what}: {finished:?}");
    }
}

pub fn one_call_fails() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, "old").unwrap();
    let done = replace(&path, 0o600, b"new");
    let not = done.expect_err("a call was to fail");
    let found = fs::read(&path).unwrap();
    match not.content() {
        Content::Old => {
            assert_eq!(found, b"old", "{not}");
            assert!(!not.error().about().contains("folder"), "{not}");
        }
        Content::New => {
            assert_eq!(found, b"new", "{not}");
            assert!(not.to_string().contains("a power cut may undo that"), "{not}");
            assert!(not.error().about().contains("the folder of"), "{not}");
        }
    }
    assert_eq!(names(folder.path()), ["file"], "{not}");
}

/// The folder's path goes by the environment: whoever was killed cleans nothing up.
pub const FOLDER: &str = "PAGE_SYNC_FOLDER";

pub fn killed_at(what: &str, expected: &[u8], left: usize) {
    let folder = testkit::folder();
    fs::write(folder.file("file"), "old").unwrap();
    // SAFETY: this case has one thread.
    unsafe { std::env::set_var(FOLDER, folder.path()) };
    let finished = injected(&[what], replace_in_folder).expect("we are the one outside");
    let status = finished.status;
    let killed = status.signal() == Some(Signal::SIGKILL as i32) || status.code() == Some(137);
    assert!(killed, "{what}: {finished:?}");
    assert_eq!(fs::read(folder.file("file")).unwrap(), expected, "{what}");
    let found = leftovers(folder.file("file")).unwrap();
    assert_eq!(found.len(), left, "{what}: {found:?}");
    assert_eq!(names(folder.path()).len(), 1 + left, "every leftover is recognised");
    for leftover in found {
        fs::remove_file(leftover).unwrap();
    }
    // And the next one works.
    let _ = fine(replace(folder.file("file"), 0o600, b"later"));
    assert_eq!(names(folder.path()), ["file"]);
}

pub fn replace_in_folder() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let _ = fine(replace(Path::new(&folder).join("file"), 0o600, b"new"));
}

/// strace kills before the call is made.
pub fn killed_at_each_call_it_is_all_of_the_old_or_all_of_the_new() {
    if std::env::var_os(FOLDER).is_some() {
        return replace_in_folder();
    }
    killed_at("fchmod:signal=KILL:when=1", b"old", 0);
    killed_at("linkat:signal=KILL:when=1", b"old", 0);
    killed_at("fsync:signal=KILL:when=1", b"old", 1);
    killed_at("renameat,renameat2:signal=KILL:when=1", b"old", 1);
    killed_at("fsync:signal=KILL:when=2", b"new", 0);
}

pub fn a_replacement_under_way_is_no_leftover() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(folder.file(".file.1.2.replacement"), "left by somebody").unwrap();
    fs::write(folder.file(".file.swp"), "an editor's").unwrap();
    let left = [folder.file(".file.1.2.replacement")];
    let _ = fine(replace_with(&path, 0o600, |_| {
        assert_eq!(leftovers(&path).unwrap(), left);
        Ok(())
    }));
    assert_eq!(leftovers(&path).unwrap(), left);
    assert!(leftovers(folder.file("other")).unwrap().is_empty());
    assert_eq!(leftovers(folder.file("no/file")).unwrap_err().errno(), Errno::ENOENT);
}
