//! Every command as a student would run it.

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{mmap_file, on, text, write};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use serde_json::Value;
use testkit::{Finished, Folder, Program, need};

testkit::cases! {
    without_a_file_both_use_the_users_own_note;
    a_reader_prints_each_change_at_once;
    a_reader_that_starts_first_waits;
    every_prints_each_period_changed_or_not;
    count_ends_the_reader;
    json_is_one_object_a_line;
    a_reader_does_not_spin;
    a_replaced_and_a_removed_file_are_followed;
    refused_lines_leave_the_note_and_later_ones_go_on;
    a_line_without_an_end_counts;
    strange_bytes_are_shown_and_not_obeyed;
    the_note_survives_kill_9_of_everyone;
    signals_end_everything_with_their_own_number;
    a_closed_pipe_is_no_error;
    a_reader_notices_that_nobody_listens;
    a_writer_says_what_it_waits_for;
    int_reads_integers;
    info_tells_what_the_kernel_tells;
    maps_lists_files;
    private_changes_never_reach_the_file;
    the_demo_shows_two_processes_and_cleans_up;
    a_demo_that_is_interrupted_cleans_up;
    bad_files_have_clear_errors;
    an_unreadable_file_says_so needs need::ordinary_user;
    another_users_process_says_so needs need::ordinary_user;
    wrong_usage_is_exit_code_2;
    colours_are_for_terminals needs script;
    on_a_terminal_the_hint_can_be_typed needs script;
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

/// Ended with 1 and one line of complaint that holds these words.
fn complains(finished: Finished, words: &[&str]) {
    assert_eq!(finished.code(), Some(1), "{finished:?}");
    assert!(finished.stderr.starts_with("error: ") && finished.stderr.lines().count() == 1);
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is not in {:?}", finished.stderr);
    }
}

fn only(folder: &Folder, names: &[&str]) {
    let entries = fs::read_dir(folder.path()).unwrap().flatten();
    let mut found: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, names, "something is left over");
}

fn without_a_file_both_use_the_users_own_note() {
    let folder = testkit::folder();
    let at = |arguments: &[&str]| {
        let mut command = mmap_file(arguments);
        command.env("XDG_STATE_HOME", folder.path()).current_dir("/");
        command
    };
    let mut reader = Program::start(&mut at(&["reader"]));
    let mut writer = Program::start(at(&["writer"]).current_dir(folder.path()));
    writer.tell("meet me\n");
    assert_eq!(reader.line(), "meet me");
    writer.finish().ok();
    reader.kill_9();
    let mode = fs::metadata(folder.file("ipc-course/note")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

fn a_reader_prints_each_change_at_once() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = Program::start(&mut on("writer", &path));
    writer.tell("one\n");
    let mut reader = Program::start(&mut on("reader", &path));
    assert_eq!(reader.line(), "one");
    for note in ["two", "two", "", "three"] {
        writer.tell(format!("{note}\n"));
        assert_eq!(reader.line(), note, "a note with the same text is a new note");
    }
    assert_eq!(reader.line_within(Duration::from_millis(500)), None, "nothing changed");
    writer.finish().ok();
    reader.kill_9();
    only(&folder, &["note"]);
}

fn a_reader_that_starts_first_waits() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut reader = Program::start(&mut on("reader", &path));
    assert_eq!(reader.line_within(Duration::from_millis(200)), None);
    only(&folder, &[]);
    write(&path, "late");
    assert_eq!(reader.line(), "late");
    let finished = reader.kill_9();
    assert!(finished.stderr.is_empty(), "hints are for terminals: {finished:?}");
    // A folder that is not there either is a mistake in the path.
    complains(Program::run(&mut on("reader", &folder.file("no/note"))), &["ENOENT", "no/note"]);
}

fn every_prints_each_period_changed_or_not() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "again");
    let printed =
        Program::run(mmap_file(["reader", "--every", "5ms", "--count", "3"]).arg(&path)).ok();
    assert_eq!(printed, "again\nagain\nagain\n");
}

fn count_ends_the_reader() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut reader = Program::start(mmap_file(["reader", "--count", "2"]).arg(&path));
    let mut writer = Program::start(&mut on("writer", &path));
    for note in ["one", "two"] {
        writer.tell(format!("{note}\n"));
        reader.line_with(note);
    }
    assert_eq!(reader.finish().ok(), "one\ntwo\n");
    writer.finish().ok();
}

fn json_is_one_object_a_line() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "quote \" and backslash \\");
    let line = Program::run(mmap_file(["reader", "--json", "--count", "1"]).arg(&path)).ok();
    let found = json(&line);
    assert_eq!(found["note"], "quote \" and backslash \\");
    assert_eq!((&found["sequence"], &found["utf8"]), (&Value::from(2), &Value::from(true)));
}

/// Counted by the kernel: how often the process gave up the processor, and how long it had it.
fn a_reader_does_not_spin() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "quiet");
    let mut reader = Program::start(&mut on("reader", &path));
    assert_eq!(reader.line(), "quiet");
    let ticks = |pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let before = ticks(reader.pid());
    assert_eq!(reader.line_within(Duration::from_secs(1)), None);
    // A tick is 10 ms: one that spins has a hundred, one that sleeps none.
    assert!(ticks(reader.pid()) - before < 20);
    reader.kill_9();
}

fn a_replaced_and_a_removed_file_are_followed() {
    let folder = testkit::folder();
    let (path, new) = (folder.file("note"), folder.file("new"));
    let mut writer = Program::start(&mut on("writer", &path));
    writer.tell("first\n");
    let mut reader = Program::start(&mut on("reader", &path));
    assert_eq!(reader.line(), "first");
    write(&new, "second");
    fs::rename(&new, &path).unwrap();
    assert_eq!(reader.line(), "second");
    writer.tell("third\n");
    assert_eq!(reader.line(), "third", "the writer follows, too");
    fs::remove_file(&path).unwrap();
    writer.tell("fourth\n");
    assert_eq!(reader.line(), "fourth");
    let writer = writer.finish();
    assert_eq!(writer.code(), Some(0));
    assert!(writer.stderr.contains("was replaced") && writer.stderr.contains("was removed"));
    let reader = reader.kill_9();
    assert!(reader.stderr.contains("was replaced"), "{reader:?}");
}

fn refused_lines_leave_the_note_and_later_ones_go_on() {
    let folder = testkit::folder();
    let path = folder.file("note");
    for (bad, errno) in [(vec![b'x'; 100_000], "EMSGSIZE"), (b"a\0b".to_vec(), "EINVAL")] {
        let mut writer = Program::start(&mut on("writer", &path));
        writer.tell("before\n");
        let mut reader = Program::start(&mut on("reader", &path));
        reader.line_with("before");
        writer.tell([&bad, &b"\n"[..]].concat());
        assert_eq!(reader.line_within(Duration::from_millis(300)), None);
        writer.tell("after\n");
        assert_eq!(reader.line(), "after");
        complains(writer.finish(), &[errno]);
        reader.kill_9();
    }
}

fn a_line_without_an_end_counts() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = Program::start(&mut on("writer", &path));
    writer.tell("no end");
    writer.finish().ok();
    assert_eq!(text(&path), "no end");
}

fn strange_bytes_are_shown_and_not_obeyed() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = Program::start(&mut on("writer", &path));
    writer.tell(b"gr\xc3\xbc\xc3\x9fe \xff \x1b[31m\n");
    writer.finish().ok();
    let printed = Program::run(mmap_file(["reader", "--count", "1"]).arg(&path)).ok();
    assert_eq!(printed, "grüße \\xff \\u{1b}[31m\n");
}

fn the_note_survives_kill_9_of_everyone() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = Program::start(&mut on("writer", &path));
    let mut reader = Program::start(&mut on("reader", &path));
    writer.tell("still here\n");
    assert_eq!(reader.line(), "still here");
    assert_eq!(writer.kill_9().status.signal(), Some(9));
    assert_eq!(reader.kill_9().status.signal(), Some(9));
    let again = Program::run(mmap_file(["reader", "--count", "1"]).arg(&path)).ok();
    assert_eq!(again, "still here\n");
    only(&folder, &["note"]);
}

fn signals_end_everything_with_their_own_number() {
    let folder = testkit::folder();
    let (path, missing) = (folder.file("note"), folder.file("missing"));
    write(&path, "x");
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        for (name, path) in [("writer", &path), ("reader", &path), ("reader", &missing)] {
            let program = Program::start(&mut on(name, path));
            // Its handlers are there once it sleeps in the loop that asks for them.
            wait_for_handlers(program.pid());
            program.signal(signal);
            // `finish` would end the writer's input; the signal alone has to do.
            let mut program = program;
            while program.is_running() {
                std::thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(program.finish().status.signal(), Some(signal as i32), "{name}");
        }
    }
    only(&folder, &["note"]);
}

/// Until the kernel lists SIGINT and SIGTERM as caught.
fn wait_for_handlers(pid: u32) {
    let both = 1 << (Signal::SIGINT as u64 - 1) | 1 << (Signal::SIGTERM as u64 - 1);
    loop {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        if u64::from_str_radix(caught.trim(), 16).unwrap() & both == both {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn a_closed_pipe_is_no_error() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "x");
    for arguments in [&["info"][..], &["private"], &["reader", "--every", "1ms"]] {
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        let mut command = mmap_file(arguments);
        let output = command.arg(&path).stdout(write).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]), "{arguments:?}");
    }
}

fn a_reader_notices_that_nobody_listens() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "first and only");
    let mut reader = on("reader", &path).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(reader.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    drop(output);
    // No further note comes; it ends all the same, or the watchdog ends us.
    assert_eq!(reader.wait().unwrap().code(), Some(0));
}

fn a_writer_says_what_it_waits_for() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "x");
    let file = fs::File::options().read(true).write(true).open(&path).unwrap();
    let lock = mmap_file::lock::try_lock(&file).unwrap().unwrap();
    let mut writer = Program::start(&mut on("writer", &path));
    writer.tell("patient\n");
    std::thread::sleep(Duration::from_millis(1500));
    assert!(writer.is_running());
    assert_eq!(text(&path), "x");
    drop(lock);
    let finished = writer.finish();
    assert_eq!(finished.code(), Some(0));
    assert!(finished.stderr.contains("another process holds the lock"), "{finished:?}");
    assert_eq!(text(&path), "patient");
}

fn int_reads_integers() {
    let folder = testkit::folder();
    let path = folder.file("int");
    fs::write(&path, [0xff, 1, 0, 0, 0]).unwrap();
    let run = |arguments: &[&str]| Program::run(mmap_file(["int"]).arg(&path).args(arguments));
    assert_eq!(run(&["--offset", "0x1", "--endian", "little"]).ok(), "1\n");
    assert_eq!(run(&["--offset", "1", "--endian", "big"]).ok(), "16777216\n");
    let found = json(&run(&["--json", "--offset", "1", "--endian", "big"]).ok());
    assert_eq!((&found["integer"], &found["endian"]), (&Value::from(16777216), &"big".into()));
    complains(run(&["--offset", "2"]), &["ERANGE", "5 bytes"]);
    assert_eq!(run(&["--endian", "middle"]).code(), Some(2));
    fs::write(&path, [1, 2]).unwrap();
    complains(run(&[]), &["ERANGE", "2 bytes"]);
    fs::write(&path, []).unwrap();
    complains(run(&[]), &["EINVAL", "empty"]);
}

fn info_tells_what_the_kernel_tells() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "tell me");
    let mut reader = Program::start(&mut on("reader", &path));
    reader.line_with("tell me");
    let found = json(&Program::run(mmap_file(["info", "--json"]).arg(&path)).ok());
    let expect = [
        ("is_note", Value::from(true)),
        ("text", "tell me".into()),
        ("sequence", 2.into()),
        ("locked", false.into()),
        ("holes", false.into()),
        ("mode", "0600".into()),
        ("pages", 1.into()),
        ("mapped_by", vec![reader.pid()].into()),
    ];
    for (name, value) in expect {
        assert_eq!(found[name], value, "{name}");
    }
    let shown = Program::run(&mut on("info", &path)).ok();
    for part in ["tell me", "sequence 2", "0600", "free"] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
    let file = fs::File::options().read(true).write(true).open(&path).unwrap();
    let lock = mmap_file::lock::try_lock(&file).unwrap().unwrap();
    assert!(Program::run(&mut on("info", &path)).ok().contains("held by a writer"));
    drop(lock);
    reader.kill_9();

    let plain = folder.file("plain");
    fs::File::create(&plain).unwrap().set_len(10_000_000).unwrap();
    let found = json(&Program::run(mmap_file(["info", "--json"]).arg(&plain)).ok());
    assert_eq!((&found["holes"], &found["is_note"]), (&true.into(), &false.into()));
    fs::write(&plain, "").unwrap();
    let found = json(&Program::run(mmap_file(["info", "--json"]).arg(&plain)).ok());
    assert_eq!((&found["length"], &found["pages"]), (&0.into(), &0.into()));
}

fn maps_lists_files() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "x");
    let mut reader = Program::start(&mut on("reader", &path));
    reader.line_with("x");
    let pid = reader.pid().to_string();
    let found = json(&Program::run(&mut mmap_file(["maps", "--json", &pid])).ok());
    let files = found["files"].as_array().unwrap();
    let note = files.iter().find(|file| file["path"] == path.to_str().unwrap()).unwrap();
    assert_eq!((&note["sharing"], &note["write"]), (&"shared".into(), &false.into()));
    let shown = Program::run(&mut mmap_file(["maps", &pid])).ok();
    assert!(shown.contains("note") && shown.contains("read exec") && shown.contains("libc"));
    reader.kill_9();
    let own = Program::run(&mut mmap_file(["maps"])).ok();
    assert!(own.contains("this program itself") && own.contains("mmap-file"), "{own}");
    complains(Program::run(&mut mmap_file(["maps", "4194305"])), &["ESRCH", "4194305"]);
    assert_eq!(Program::run(&mut mmap_file(["maps", "-1"])).code(), Some(2));
}

fn private_changes_never_reach_the_file() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, "!secret").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let found = json(&Program::run(mmap_file(["private", "--json"]).arg(&path)).ok());
    assert_eq!(found["memory_before"], b'!');
    assert_ne!(found["memory_after"], b'!');
    assert_eq!(found["file_after"], b'!');
    assert_eq!(found["anonymous_before"], 0);
    assert!(found["anonymous_after"].as_u64() > Some(0));
    assert!(found["private_dirty_after"].as_u64() > Some(0));
    let shown = Program::run(&mut on("private", &path)).ok();
    assert!(shown.contains("pread") && shown.contains("Private_Dirty"));
    assert_eq!(fs::read(&path).unwrap(), b"!secret");
}

fn the_demo_shows_two_processes_and_cleans_up() {
    let folder = testkit::folder();
    let shown = Program::run(mmap_file(["demo"]).env("TMPDIR", folder.path())).ok();
    for part in ["read write  shared", "read        shared", "µs", "SIGKILL", "read(2) finds"] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
    only(&folder, &[]);
}

fn a_demo_that_is_interrupted_cleans_up() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let folder = testkit::folder();
        let mut demo = Program::start(mmap_file(["demo"]).env("TMPDIR", folder.path()));
        demo.line();
        demo.signal(signal);
        let finished = demo.finish();
        // It may have come to its end before the signal did.
        assert!(finished.status.signal() == Some(signal as i32) || finished.status.success());
        only(&folder, &[]);
    }
}

fn bad_files_have_clear_errors() {
    let folder = testkit::folder();
    let (fifo, link, text) = (folder.file("fifo"), folder.file("link"), folder.file("text"));
    nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    fs::write(&text, "somebody's work\n").unwrap();
    symlink(&text, &link).unwrap();
    let missing = folder.file("missing");
    for command in ["reader", "writer", "int", "info", "private"] {
        let run = |path: &Path| Program::run(&mut on(command, path));
        complains(run(folder.path()), &["EISDIR", "folder"]);
        complains(run(&fifo), &["ENODEV", "FIFO"]);
        complains(run(Path::new("/dev/zero")), &["ENODEV", "device"]);
        if !["reader", "writer"].contains(&command) {
            complains(run(&missing), &["ENOENT", "missing"]);
        }
    }
    complains(Program::run(&mut on("writer", &link)), &["ELOOP", "symbolic link"]);
    complains(Program::run(&mut on("writer", &text)), &["EEXIST", "--adopt"]);
    complains(Program::run(&mut on("writer", &folder.file("no/note"))), &["ENOENT"]);
    assert_eq!(fs::read(&text).unwrap(), b"somebody's work\n");
    only(&folder, &["fifo", "link", "text"]);
    let mut adopting = Program::start(mmap_file(["writer", "--adopt"]).arg(&text));
    adopting.tell("taken\n");
    adopting.finish().ok();
    assert_eq!(common::text(&text), "taken");
}

fn an_unreadable_file_says_so() {
    let folder = testkit::folder();
    let path = folder.file("closed");
    fs::write(&path, "x").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    for command in ["reader", "writer", "int", "info", "private"] {
        complains(Program::run(&mut on(command, &path)), &["EACCES", "ls -l"]);
    }
}

fn another_users_process_says_so() {
    complains(Program::run(&mut mmap_file(["maps", "1"])), &["EACCES", "another user"]);
}

fn wrong_usage_is_exit_code_2() {
    for arguments in [
        &[][..],
        &["reader", "--every", "0s"],
        &["reader", "--every", "soon"],
        &["reader", "--count", "0"],
        &["int"],
        &["int", "file", "--offset", "-1"],
        &["nonsense"],
    ] {
        let finished = Program::run(&mut mmap_file(arguments));
        assert_eq!(finished.code(), Some(2), "{arguments:?}: {finished:?}");
        assert!(finished.stdout.is_empty() && !finished.stderr.is_empty());
    }
    let help = Program::run(&mut mmap_file(["--help"])).ok();
    assert!(help.contains("Exit codes") && help.contains("Examples"));
}

fn script() -> Result<(), String> {
    match Command::new("script").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("there is no script(1) to make a terminal with".into()),
    }
}

/// What it shows under a terminal of its own.
fn on_a_terminal(arguments: &str, environment: &[(&str, &str)]) -> Command {
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_mmap-file"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
    script.envs(environment.iter().copied());
    script
}

fn colours_are_for_terminals() {
    let shown = |environment: &[_]| Program::run(&mut on_a_terminal("maps", environment)).stdout;
    assert!(!Program::run(&mut mmap_file(["maps"])).ok().contains('\x1b'));
    assert!(shown(&[]).contains('\x1b'));
    assert!(!shown(&[("NO_COLOR", "1")]).contains('\x1b'));
    assert!(!shown(&[("TERM", "dumb")]).contains('\x1b'));
}

fn on_a_terminal_the_hint_can_be_typed() {
    let folder = testkit::folder();
    let path = folder.file("a note");
    let arguments = format!("reader --count 1 '{}'", path.display());
    let mut reader = Program::start(&mut on_a_terminal(&arguments, &[("NO_COLOR", "1")]));
    let hint = reader.line_with("No note yet");
    let typed = hint.split("terminal:").nth(1).unwrap().trim();
    // What the hint says is typed into a shell in another folder, and the two meet.
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        &format!(
            "echo met | {}",
            typed.replace("cargo run -p mmap-file --", env!("CARGO_BIN_EXE_mmap-file"))
        ),
    ]);
    Program::run(shell.current_dir("/")).ok();
    assert_eq!(reader.line().trim(), "met");
    reader.finish();
}
