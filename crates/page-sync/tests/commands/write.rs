//! `write`: what is stored, synced and said.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use serde_json::Value;
use testkit::{Program, small_tmpfs};

use crate::common::{names, page};
use crate::program::*;

pub fn write_by_ms_sync_turns_dirty_into_clean() {
    let folder = testkit::folder();
    let path = folder.file("page");
    let invalidated = ["--json", "--sync", "--invalidate"];
    for more in [&["--json"][..], &["--json", "--sync"], &invalidated] {
        sooner_or_later("dirty, then clean", || {
            let found = json(write("This is a test", &path, more));
            assert!(found["msync"].as_str().unwrap().starts_with("MS_SYNC"));
            let pages = &found["page"];
            assert_eq!(pages["synced"]["dirty"], false, "nobody else stores into it: {found}");
            assert_eq!(pages["closed"]["dirty"], false, "{found}");
            pages["stored"]["dirty"] == true
        });
    }
    let text = write("This is a test", &path, &[]).ok();
    assert!(text.contains("msync(MS_SYNC)  ") && text.contains("survives a power cut"), "{text}");
}

pub fn write_by_ms_async_and_by_nothing_leaves_dirty() {
    let folder = testkit::folder();
    let path = folder.file("page");
    for (more, msync) in [
        (&["--json", "--async"][..], Value::from("MS_ASYNC")),
        (&["--json", "--invalidate"], Value::from("MS_ASYNC | MS_INVALIDATE")),
        (&["--json", "--none"], Value::Null),
    ] {
        sooner_or_later("dirty, and dirty still", || {
            let found = json(write("This is a test", &path, more));
            assert_eq!(found["msync"], msync);
            assert_eq!(found["name_synced"], false);
            let pages = &found["page"];
            pages["stored"]["dirty"] == true && pages["closed"]["dirty"] == true
        });
    }
    sooner_or_later("what clean means, nobody is told where nothing is", || {
        let text = write("This is a test", &folder.file("new"), &["--none"]).ok();
        fs::remove_file(folder.file("new")).unwrap();
        text.contains("not in memory\n") && !text.contains("clean")
    });
    sooner_or_later("it is explained", || {
        let text = write("This is a test", &path, &["--async"]).ok();
        text.contains("MS_ASYNC has done nothing") && text.contains("writes those by itself")
    });
}

pub fn write_makes_a_file_that_the_lectures_reader_understands() {
    let folder = testkit::folder();
    let path = folder.file("page");
    let found = json(write("a longer text than the next", &path, &["--json"]));
    assert_eq!((&found["created"], &found["name_synced"]), (&true.into(), &true.into()));
    assert_eq!((&found["pages"], &found["page_size"]), (&1.into(), &page().into()));
    assert_eq!(json(write("short", &path, &["--json"]))["created"], false);
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes.len(), page());
    assert!(bytes.starts_with(b"short\0") && bytes[5..].iter().all(|byte| *byte == 0));
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    // The longest that fits; and what is no UTF-8.
    write(&"x".repeat(page() - 1), &path, &[]).ok();
    assert_eq!(*fs::read(&path).unwrap().last().unwrap(), 0);
    use std::os::unix::ffi::OsStrExt;
    let odd = OsStr::from_bytes(b"\xff\x1b[31m");
    Program::run(page_sync(["write"]).arg(odd).arg(&path)).ok();
    assert!(fs::read(&path).unwrap().starts_with(b"\xff\x1b[31m\0"));
}

pub fn write_uses_the_users_own_file_by_default() {
    let folder = testkit::folder();
    let own = |command: &mut Command| {
        Program::run(command.env("XDG_STATE_HOME", folder.path()).current_dir("/")).ok()
    };
    own(&mut page_sync(["write", "mine"]));
    let path = folder.file("ipc-course/page");
    assert!(fs::read(&path).unwrap().starts_with(b"mine\0"));
    assert_eq!(names(&folder.file("ipc-course")), ["page"]);
}

pub fn write_keeps_other_pages_and_refuses_what_it_would_destroy() {
    let folder = testkit::folder();
    let path = folder.file("two");
    let mut two = vec![0; 2 * page()];
    two[..4].copy_from_slice(b"note");
    two[page()..].fill(7);
    fs::write(&path, &two).unwrap();
    write("new", &path, &[]).ok();
    two[..4].copy_from_slice(b"new\0");
    assert_eq!(fs::read(&path).unwrap(), two, "the other page is as it was");

    for precious in [vec![1; page()], [b"text\0more", &vec![0; page() - 9][..]].concat()] {
        let path = folder.file("precious");
        fs::write(&path, &precious).unwrap();
        complains(write("new", &path, &[]), &["EEXIST", "--adopt", "precious"]);
        assert_eq!(fs::read(&path).unwrap(), precious);
        write("new", &path, &["--adopt"]).ok();
        assert!(fs::read(&path).unwrap().starts_with(b"new\0"));
    }
}

pub fn write_with_adopt_makes_whole_pages_of_the_lectures_file() {
    let folder = testkit::folder();
    let path = folder.file("mmsyncTest");
    let mut lecture = vec![0; page()];
    lecture.push(b'x');
    fs::write(&path, &lecture).unwrap();
    complains(write("This is a test", &path, &[]), &["EINVAL", "--adopt makes it longer"]);
    assert_eq!(fs::read(&path).unwrap(), lecture);
    let found = json(write("This is a test", &path, &["--adopt", "--json"]));
    assert_eq!((&found["pages"], &found["created"]), (&2.into(), &false.into()));
    let bytes = fs::read(&path).unwrap();
    assert_eq!((bytes.len(), bytes[page()]), (2 * page(), b'x'));
    // And one that is not there is made.
    assert_eq!(json(write("x", &folder.file("new"), &["--adopt", "--json"]))["created"], true);
}

pub fn write_says_unknown_on_tmpfs() {
    let disk = small_tmpfs(4 * page());
    let path = disk.path().join("page");
    let found = json(write("text", &path, &["--json"]));
    assert_eq!(found["file_system"], "tmpfs");
    assert_eq!(found["page"]["closed"]["dirty"]["unknown"], "no-disk");
    let text = write("text", &path, &[]).ok();
    assert!(text.contains("unknown, because tmpfs") && text.contains("at power-off all is gone"));
    assert!(!text.contains("survives"), "{text}");
}

pub fn write_says_unknown_on_overlayfs() {
    let disk = small_tmpfs(64 * page());
    let [lower, upper, work, on] = ["lower", "upper", "work", "on"].map(|name| {
        let path = disk.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    });
    let layers = format!(
        "lowerdir={},upperdir={},workdir={},userxattr",
        lower.display(),
        upper.display(),
        work.display()
    );
    mount(Some("overlay"), &on, Some("overlay"), MsFlags::empty(), Some(layers.as_str())).unwrap();
    let path = on.join("page");
    let found = json(write("text", &path, &["--json"]));
    assert_eq!(found["file_system"], "overlay");
    assert_eq!(found["page"]["stored"]["dirty"]["unknown"], "overlayfs");
    assert!(write("text", &path, &[]).ok().contains("unknown, because the file is on overlayfs"));
    assert!(fs::read(&path).unwrap().starts_with(b"text\0"));
    umount2(&on, MntFlags::MNT_DETACH).unwrap();
}

pub fn write_says_unknown_where_the_call_is_hidden() {
    let folder = testkit::folder();
    let path = folder.file("page");
    let mut command = page_sync(["write", "text", "--json"]);
    // SAFETY: two prctl(2) on numbers and a filter that lies on the stack.
    unsafe {
        command.pre_exec(|| {
            crate::support::refuse(451, libc::ENOSYS);
            Ok(())
        });
    }
    let found = json(Program::run(command.arg(&path)));
    let why = found["page"]["stored"]["dirty"]["unknown"].as_str().unwrap().to_owned();
    assert!(["hidden", "old-kernel"].contains(&why.as_str()) || why == "no-disk", "{found}");
    assert_eq!(found["msync"], "MS_SYNC", "it is written all the same");
}
