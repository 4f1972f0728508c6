//! `size`, `write` and `demo` as a student would run them; and what bad input does to whom.

mod common;
#[path = "inspect/support.rs"]
mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::Command;

use common::{names, page};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use page_sync::file::PageFile;
use page_sync::inspect::{Cache, FileSystem};
use serde_json::Value;
use testkit::{Finished, Program, need, small_tmpfs};

testkit::cases! {
    size_tells_what_the_kernel_tells;
    size_rounds_lengths_by_any_page_size;
    write_by_ms_sync_turns_dirty_into_clean needs dirty_is_shown;
    write_by_ms_async_and_by_nothing_leaves_dirty needs dirty_is_shown;
    write_makes_a_file_that_the_lectures_reader_understands;
    write_uses_the_users_own_file_by_default;
    write_keeps_other_pages_and_refuses_what_it_would_destroy;
    write_with_adopt_makes_whole_pages_of_the_lectures_file;
    write_says_that_it_failed_when_the_device_does needs need::strace;
    write_syncs_the_name_of_a_file_that_was_there_before needs need::strace;
    write_says_so_where_the_name_is_out_of_reach needs need::ordinary_user;
    write_notices_that_the_file_has_gone needs need::strace;
    write_says_unknown_on_tmpfs needs need::namespaces;
    write_says_unknown_on_overlayfs needs need::namespaces;
    write_says_unknown_where_the_call_is_hidden;
    write_refuses_bad_files_and_leaves_them_alone;
    write_refuses_a_read_only_file needs need::ordinary_user;
    write_refuses_a_full_disk_and_leaves_nothing needs need::namespaces;
    wrong_usage_is_exit_code_2;
    the_demo_tells_its_story_and_leaves_nothing;
    the_demo_shows_dirty_and_clean needs dirty_is_shown;
    a_demo_that_is_interrupted_leaves_nothing;
    a_demo_that_is_killed_leaves_nothing;
    the_cleaner_of_a_killed_demo_waits_for_a_slow_disk needs need::strace;
    help_names_every_command;
    a_closed_pipe_is_no_error;
}

fn page_sync<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_page-sync"));
    command.args(arguments);
    command
}

fn write(text: &str, path: &Path, more: &[&str]) -> Finished {
    Program::run(page_sync(["write", text]).arg(path).args(more))
}

fn json(finished: Finished) -> Value {
    let line = finished.ok();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

/// Ended with 1 and one line of complaint that holds these words.
fn complains(finished: Finished, words: &[&str]) {
    assert_eq!(finished.code(), Some(1), "{finished:?}");
    assert!(finished.stderr.starts_with("error: ") && finished.stderr.lines().count() == 1);
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is not in {:?}", finished.stderr);
    }
    assert!(finished.stdout.is_empty(), "{finished:?}");
}

/// The words without the line breaks.
fn unwrapped(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A file system below the folders of the tests, and a kernel, that tell dirty pages.
fn dirty_is_shown() -> Result<(), String> {
    let folder = testkit::folder();
    let file = fs::File::create(folder.file("x")).map_err(|error| error.to_string())?;
    match Cache::of(&file).and_then(|cache| cache.shows_dirty()).reason() {
        None => Ok(()),
        Some(reason) => Err(format!("whether pages of TMPDIR are dirty is {reason}")),
    }
}

/// Anybody on the machine may call sync(2) just then; so what has to be dirty is tried a few times.
fn sooner_or_later(what: &str, attempt: impl Fn() -> bool) {
    assert!((0..10).any(|_| attempt()), "never: {what}");
}

fn size_tells_what_the_kernel_tells() {
    let found = json(Program::run(&mut page_sync(["size", "--json"])));
    assert_eq!(found["page_size"], page());
    assert_eq!(found["lengths"][2]["bytes"], page() + 1, "the lecture's file is among them");
    assert_eq!(found["lengths"][2]["pages"], 2);
    let listed = fs::read_dir("/sys/kernel/mm/hugepages").map_or(0, Iterator::count);
    assert_eq!(found["huge"].as_array().unwrap().len(), listed);
    let text = Program::run(&mut page_sync(["size"])).ok();
    assert!(text.contains(&format!("{} bytes sysconf", page())), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

fn size_rounds_lengths_by_any_page_size() {
    for (grain, bytes) in [("4K", 4096u64), ("16K", 16384), ("64KiB", 65536)] {
        let arguments = ["size", "--json", "--page-size", grain, "0", "1", "5000", "64K", "1T"];
        let found = json(Program::run(&mut page_sync(arguments)));
        assert_eq!(found["rounded_with_page_size"], bytes);
        for (row, length) in [0u64, 1, 5000, 65536, 1 << 40].into_iter().enumerate() {
            let found = &found["lengths"][row];
            assert_eq!(found["bytes"], length);
            assert_eq!(found["pages"], length.div_ceil(bytes));
            assert_eq!(found["mapped"], length.next_multiple_of(bytes));
            assert_eq!(found["left_over"], length.next_multiple_of(bytes) - length);
        }
    }
}

fn write_by_ms_sync_turns_dirty_into_clean() {
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

fn write_by_ms_async_and_by_nothing_leaves_dirty() {
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
    sooner_or_later("it is explained", || {
        let text = write("This is a test", &path, &["--async"]).ok();
        text.contains("MS_ASYNC has done nothing") && text.contains("writes those by itself")
    });
}

fn write_makes_a_file_that_the_lectures_reader_understands() {
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

fn write_uses_the_users_own_file_by_default() {
    let folder = testkit::folder();
    let own = |command: &mut Command| {
        Program::run(command.env("XDG_STATE_HOME", folder.path()).current_dir("/")).ok()
    };
    own(&mut page_sync(["write", "mine"]));
    let path = folder.file("ipc-course/page");
    assert!(fs::read(&path).unwrap().starts_with(b"mine\0"));
    assert_eq!(names(&folder.file("ipc-course")), ["page"]);
}

fn write_keeps_other_pages_and_refuses_what_it_would_destroy() {
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

fn write_with_adopt_makes_whole_pages_of_the_lectures_file() {
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

/// `page-sync write` under strace, which tampers with a call.
fn tampered(what: &[&str], path: &Path, more: &[&str]) -> Finished {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null"]);
    for what in what {
        strace.args(["-e", &format!("trace={}", what.split(':').next().unwrap())]);
        strace.args(["-e", &format!("inject={what}")]);
    }
    strace.arg(env!("CARGO_BIN_EXE_page-sync")).args(["write", "text"]).arg(path).args(more);
    Program::run(&mut strace)
}

fn write_says_that_it_failed_when_the_device_does() {
    let folder = testkit::folder();
    let path = folder.file("page");
    complains(tampered(&["msync:error=EIO"], &path, &[]), &["msync", "EIO", "may be gone"]);
    let new = folder.file("new");
    complains(tampered(&["fsync:error=EIO"], &new, &[]), &["fsync", "the folder of", "EIO"]);
}

/// Whose name was made a moment ago, and never synced.
fn write_syncs_the_name_of_a_file_that_was_there_before() {
    let folder = testkit::folder();
    let path = folder.file("page");
    assert_eq!(json(write("text", &path, &["--async", "--json"]))["name_synced"], false);
    complains(tampered(&["fsync:error=EIO"], &path, &[]), &["fsync", "the folder of", "EIO"]);
    let found = json(write("text", &path, &["--json"]));
    assert_eq!((&found["created"], &found["name_synced"]), (&false.into(), &true.into()));
    let said = write("text", &path, &[]).ok();
    assert!(unwrapped(&said).contains("Its folder was synced as well (fsync)"), "{said}");
}

/// A folder in which one may look nothing up by reading it, but write a file whose name one knows.
fn write_says_so_where_the_name_is_out_of_reach() {
    let folder = testkit::folder();
    let closed = folder.file("closed");
    fs::create_dir(&closed).unwrap();
    let path = closed.join("page");
    write("before", &path, &[]).ok();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o300)).unwrap();
    let said = write("text", &path, &[]).ok();
    assert!(unwrapped(&said).contains("Whether its name survives as well is unknown"), "{said}");
    assert_eq!(json(write("text", &path, &["--json"]))["name_synced"], false);
    complains(write("new", &closed.join("new"), &[]), &["EACCES", "the folder has to be readable"]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
}

/// The file is removed while msync is at it: strace makes that last. On a machine that has no time
/// for us the writer may be through before, and then it is done again.
fn write_notices_that_the_file_has_gone() {
    let folder = testkit::folder();
    let path = folder.file("page");
    let mut rounds = testkit::rounds(1, 1);
    let mut noticed = false;
    while rounds.next(noticed).is_some() {
        write("before", &path, &[]).ok();
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=msync"]);
        strace.args(["-e", "inject=msync:delay_enter=2000000"]);
        strace.arg(env!("CARGO_BIN_EXE_page-sync")).args(["write", "lost"]).arg(&path);
        let writer = Program::start(&mut strace);
        // As soon as it has stored.
        while !fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"lost")) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        fs::remove_file(&path).unwrap();
        let finished = writer.finish();
        if finished.code() != Some(0) {
            complains(finished, &["ESTALE", "was removed", "write it again"]);
            noticed = true;
        }
    }
    assert!(noticed, "the writer was always faster");
}

fn write_says_unknown_on_tmpfs() {
    let disk = small_tmpfs(4 * page());
    let path = disk.path().join("page");
    let found = json(write("text", &path, &["--json"]));
    assert_eq!(found["file_system"], "tmpfs");
    assert_eq!(found["page"]["closed"]["dirty"]["unknown"], "no-disk");
    let text = write("text", &path, &[]).ok();
    assert!(text.contains("unknown, because tmpfs") && text.contains("at power-off all is gone"));
    assert!(!text.contains("survives"), "{text}");
}

fn write_says_unknown_on_overlayfs() {
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

fn write_says_unknown_where_the_call_is_hidden() {
    let folder = testkit::folder();
    let path = folder.file("page");
    let mut command = page_sync(["write", "text", "--json"]);
    // SAFETY: two prctl(2) on numbers and a filter that lies on the stack.
    unsafe {
        command.pre_exec(|| {
            support::refuse(451, libc::ENOSYS);
            Ok(())
        });
    }
    let found = json(Program::run(command.arg(&path)));
    let why = found["page"]["stored"]["dirty"]["unknown"].as_str().unwrap().to_owned();
    assert!(["hidden", "old-kernel"].contains(&why.as_str()) || why == "no-disk", "{found}");
    assert_eq!(found["msync"], "MS_SYNC", "it is written all the same");
}

fn write_refuses_bad_files_and_leaves_them_alone() {
    let folder = testkit::folder();
    complains(write("x", folder.path(), &[]), &["EISDIR"]);
    complains(write("x", &folder.file("no/page"), &[]), &["ENOENT"]);
    complains(write("x", &folder.file("page/"), &[]), &["E"]);
    for more in [&[][..], &["--adopt"]] {
        complains(
            write("x", Path::new("/proc/self/comm"), more),
            &["ENODEV", "makes this file up"],
        );
        complains(write("x", Path::new("/dev/null"), more), &["ENODEV", "a device"]);
    }
    nix::unistd::mkfifo(&folder.file("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    complains(write("x", &folder.file("fifo"), &[]), &["ENODEV", "FIFO"]);
    fs::remove_file(folder.file("fifo")).unwrap();
    symlink("elsewhere", folder.file("link")).unwrap();
    complains(write("x", &folder.file("link"), &[]), &["ELOOP", "symbolic link"]);
    fs::remove_file(folder.file("link")).unwrap();
    let long = "x".repeat(page());
    complains(write(&long, &folder.file("page"), &[]), &["EMSGSIZE", "a NUL"]);
    assert_eq!(names(folder.path()), Vec::<String>::new(), "nothing was made");
    write("kept", &folder.file("page"), &[]).ok();
    complains(write(&long, &folder.file("page"), &[]), &["EMSGSIZE"]);
    assert!(fs::read(folder.file("page")).unwrap().starts_with(b"kept\0"));
}

fn write_refuses_a_read_only_file() {
    let folder = testkit::folder();
    let path = folder.file("page");
    write("kept", &path, &[]).ok();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    complains(write("x", &path, &[]), &["EACCES"]);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    complains(write("x", &folder.file("new"), &[]), &["EACCES"]);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(fs::read(&path).unwrap().starts_with(b"kept\0"));
}

fn write_refuses_a_full_disk_and_leaves_nothing() {
    let disk = small_tmpfs(2 * page());
    fs::write(disk.path().join("filler"), vec![1; 2 * page()]).unwrap();
    complains(
        write("x", &disk.path().join("page"), &[]),
        &["posix_fallocate", "ENOSPC", "no room"],
    );
    assert_eq!(names(disk.path()), ["filler"]);
}

fn wrong_usage_is_exit_code_2() {
    for arguments in [
        &["write"][..],
        &["write", "x", "y", "--sync", "--async"],
        &["write", "x", "y", "--sync", "--none"],
        &["write", "x", "y", "--none", "--invalidate"],
        &["size", "many"],
        &["size", "3Q"],
        &["size", "8388608T"],
        &["size", "5000", "--page-size", "5000"],
        &["demo", "x"],
        &["nothing"],
        &[],
    ] {
        let finished = Program::run(&mut page_sync(arguments));
        assert_eq!(finished.code(), Some(2), "{arguments:?}: {finished:?}");
        assert!(finished.stdout.is_empty() && !finished.stderr.is_empty());
    }
}

fn demo(folder: &Path) -> Command {
    let mut command = page_sync(["demo"]);
    command.env("TMPDIR", folder);
    command
}

fn the_demo_tells_its_story_and_leaves_nothing() {
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

fn the_demo_shows_dirty_and_clean() {
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
fn a_demo_that_is_interrupted_leaves_nothing() {
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
fn a_demo_that_is_killed_leaves_nothing() {
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
fn the_cleaner_of_a_killed_demo_waits_for_a_slow_disk() {
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

fn help_names_every_command() {
    let help = Program::run(&mut page_sync(["--help"])).ok();
    for command in ["demo", "size", "write", "map", "watch"] {
        assert!(help.contains(&format!("page-sync {command}")), "{command}");
        let own = Program::run(&mut page_sync([command, "--help"])).ok();
        assert!(own.contains("Exit codes:"), "{own}");
    }
    assert!(!help.contains("demo-"), "what only the demo calls is hidden");
}

fn a_closed_pipe_is_no_error() {
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
