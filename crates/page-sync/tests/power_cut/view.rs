//! What is shown where there is no power cut, and other ways to hold it wrongly.

use std::fs;
use std::process::Command;

use testkit::{Program, small_tmpfs};

use crate::support::{json, page_sync, run, undisturbed};

/// What was dirty: after the stores, and after the action.
type Dirty = [bool; 2];

fn dirty(object: &serde_json::Value) -> Vec<(String, [Dirty; 2])> {
    assert_eq!(
        (&object["experiment"], &object["durability"]),
        (&"page-cache".into(), &false.into())
    );
    let results = object["results"].as_array().unwrap().iter();
    let page = |result: &serde_json::Value, at: usize| {
        let page = &result["pages"][at];
        assert_eq!(page["page"], [2, 5][at]);
        let known = |name: &str| page[name].as_bool().unwrap_or_else(|| panic!("{page}"));
        [known("dirty_after_the_stores"), known("dirty")]
    };
    results
        .map(|result| {
            let name = result["action"].as_str().unwrap().to_owned();
            (name, [page(result, 0), page(result, 1)])
        })
        .collect()
}

pub fn the_page_cache_view_says_what_it_is() {
    let folder = testkit::folder();
    let view = || {
        let text = Program::run(
            page_sync(&["power-cut", "--page-cache", "--json"]).env("TMPDIR", folder.path()),
        );
        dirty(&json(&text.ok()))
    };
    let expected = [
        ("nothing", [true, true]),
        ("munmap", [true, true]),
        ("ms-async", [true, true]),
        // The trap: as clean as after MS_SYNC, and lost.
        ("sync-file-range", [false, false]),
        ("ms-sync-page", [false, true]),
        ("ms-sync", [false, false]),
        ("fdatasync", [false, false]),
        ("fsync", [false, false]),
    ]
    .map(|(name, dirty)| (name.to_owned(), dirty.map(|after| [true, after])));
    undisturbed(|| {
        let seen = view();
        if seen == expected { Ok(()) } else { Err(format!("{seen:?}")) }
    });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the files had no names");

    let text = run(&["power-cut", "--page-cache"]).ok();
    assert!(text.starts_with("The page cache: not durability."), "{text}");
    assert!(text.lines().skip(1).all(|line| line.chars().count() <= 80), "{text}");
}

/// So there is nothing that `kill -9` could leave behind.
pub fn the_files_of_the_view_never_have_a_name() {
    let folder = testkit::folder();
    let log = folder.file("log");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=openat,open,link,linkat,unlink,unlinkat", "-o"]);
    strace.arg(&log).arg(env!("CARGO_BIN_EXE_page-sync")).args(["power-cut", "--page-cache"]);
    Program::run(strace.env("TMPDIR", folder.path())).ok();
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.contains("O_TMPFILE"), "{log}");
    assert!(!log.contains("O_CREAT") && !log.contains("link"), "{log}");
}

pub fn an_ordinary_user_is_told_why_and_shown_the_page_cache() {
    let finished = run(&["power-cut"]);
    assert_eq!(finished.code(), Some(1), "there was no power cut: {finished:?}");
    assert!(finished.stdout.starts_with("The page cache: not durability."), "{finished:?}");
    assert!(
        finished.stderr.contains("root: ") && finished.stderr.contains("sudo /"),
        "{finished:?}"
    );
}

pub fn where_the_page_cache_is_silent_the_view_says_so() {
    let disk = small_tmpfs(1 << 20);
    let mut command = page_sync(&["power-cut", "--page-cache"]);
    command.current_dir(disk.path());
    command.envs(["TMPDIR", "XDG_STATE_HOME"].map(|name| (name, disk.path())));
    let finished = Program::run(&mut command);
    assert_eq!((finished.code(), finished.stdout.as_str()), (Some(1), ""), "{finished:?}");
    assert!(finished.stderr.contains("tmpfs has no disk"), "{finished:?}");
}

pub fn wrong_usage_is_exit_code_2() {
    for wrong in [
        &["power-cut", "--trials", "0"][..],
        &["power-cut", "--trials", "1001"],
        &["power-cut", "--action", "msync"],
        &["power-cut", "--page-cache", "--trials", "3"],
        &["power-cut", "file"],
    ] {
        let finished = run(wrong);
        assert_eq!((finished.code(), finished.stdout.as_str()), (Some(2), ""), "{finished:?}");
    }
}

pub fn the_helpers_are_not_to_be_typed() {
    for wrong in [
        &["power-cut-helper"][..],
        &["power-cut-helper", "disk", "honest"],
        &["power-cut-helper", "disk", "new", "name"],
        &["power-cut-helper", "disk", "honest", "name"],
        &["power-cut-helper", "machine", "fsync", "barriers", "name"],
    ] {
        let finished = run(wrong);
        assert_eq!((finished.code(), finished.stdout.as_str()), (Some(1), ""), "{finished:?}");
        assert!(finished.stderr.contains("not to be typed"), "{finished:?}");
    }
}

/// A terminal, by script(1).
pub fn script() -> Result<(), String> {
    match Program::run(Command::new("sh").args(["-c", "script --version"])).code() {
        Some(0) => Ok(()),
        _ => Err("there is no script(1) to make a terminal with".into()),
    }
}

pub fn colours_and_progress_are_for_terminals() {
    let line = format!("{} power-cut --trials 1 --action fsync", env!("CARGO_BIN_EXE_page-sync"));
    let on_terminal = |environment: &[(&str, &str)]| {
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm");
        Program::run(script.envs(environment.iter().copied())).stdout
    };
    let text = on_terminal(&[]);
    assert!(text.contains("power cut 1 of 4: msync MS_SYNC"), "{text:?}");
    // It is gone before the table comes.
    assert!(text.contains("\r\x1b[KPages 2 and 5"), "{text:?}");
    assert!(text.contains("\x1b[1mthen "), "{text:?}");
    let plain = on_terminal(&[("NO_COLOR", "1")]);
    assert!(!plain.contains("\x1b[1m") && plain.contains("fsync   "), "{plain:?}");
    let dumb = on_terminal(&[("TERM", "dumb")]);
    assert!(!dumb.contains('\x1b') && !dumb.contains("power cut 1 of"), "{dumb:?}");
}
