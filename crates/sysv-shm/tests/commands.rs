//! The binary as a student uses it.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{child, key, until};
use ipc_common::Key;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use serde_json::Value;
use sysv_shm::note::{NoteWriter, Wanted};
use sysv_shm::{Mode, Segment, list};
use testkit::{Finished, Program, folder, need};

testkit::cases! {
    a_note_that_is_written_can_be_read needs need::sysv;
    each_line_of_input_is_a_note_and_the_segment_stays_attached needs need::sysv;
    a_follower_prints_each_note_once needs need::sysv;
    a_follower_waits_for_a_segment_and_notices_its_removal needs need::sysv;
    reading_where_nothing_is_says_what_to_type needs need::sysv;
    an_empty_note_and_a_note_that_vanished_are_told_apart needs need::sysv;
    status_tells_all_and_its_json_the_same needs need::sysv;
    removing_says_if_the_segment_lingers needs need::sysv;
    list_and_limits_can_be_read_by_people_and_programs needs need::sysv;
    the_key_is_drawn_with_its_parts;
    the_default_key_is_the_same_from_any_folder_and_differs_by_user needs need::sysv;
    a_size_or_mode_that_was_named_has_to_be_so needs need::sysv;
    a_text_that_does_not_fit_changes_nothing needs need::sysv;
    bytes_that_are_no_text_are_shown_and_counted needs need::sysv;
    a_note_whose_writer_died_is_reported_and_replaced needs need::sysv;
    a_reader_does_not_wait_for_a_stuck_writer_for_ever needs need::sysv;
    a_writer_says_for_whom_it_waits_and_can_be_interrupted needs need::sysv;
    signals_end_every_waiting_command_and_show_in_the_exit_status needs need::sysv;
    a_closed_pipe_ends_a_command_in_silence needs need::sysv;
    wrong_usage_is_exit_code_2;
    colours_are_only_for_terminals_that_want_them needs need::sysv, script;
    the_demo_shows_what_the_kernel_holds_and_leaves_nothing needs need::sysv;
    a_demo_that_is_interrupted_leaves_nothing needs need::sysv;
    a_demo_that_is_killed_leaves_nothing needs need::sysv;
    a_full_system_is_named needs need::sysv, need::root, need::namespaces;
}

const OURS: &str = env!("CARGO_BIN_EXE_sysv-shm");

/// `script` gives a program a terminal.
fn script() -> Result<(), String> {
    let mut there = Command::new("script");
    there.arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match there.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("there is no `script` to give a program a terminal".into()),
    }
}

/// One note's name, and the commands on it.
struct Note(Key);

impl Note {
    fn new() -> Note {
        Note(key())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(OURS);
        command.args(arguments).args(["--key", &self.0.to_string()]);
        command
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        Program::run(&mut self.command(arguments))
    }

    fn start(&self, arguments: &[&str]) -> Program {
        Program::start(&mut self.command(arguments))
    }

    fn fails(&self, arguments: &[&str], because: &[&str]) {
        let finished = self.run(arguments);
        assert_eq!(finished.code(), Some(1), "{finished:?}");
        assert!(finished.stderr.starts_with("error: "), "{finished:?}");
        assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
        for part in because {
            assert!(finished.stderr.contains(part), "{finished:?} lacks {part}");
        }
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(arguments).ok()).unwrap()
    }

    fn attached(&self) -> u64 {
        Segment::open(self.0).and_then(Segment::stat).map_or(0, |stat| stat.attached)
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let _ = sysv_shm::note::remove(self.0);
    }
}

fn a_note_that_is_written_can_be_read() {
    let note = Note::new();
    let wrote = note.run(&["write", "hello"]).ok();
    let stat = Segment::open(note.0).unwrap().stat().unwrap();
    assert!(wrote.starts_with(&format!("created and attached segment {}", stat.id)), "{wrote}");
    assert!(wrote.contains(&note.0.to_string()) && wrote.contains("remove --key"), "{wrote}");
    assert_eq!((stat.size, stat.mode, stat.attached), (1024, Mode::PRIVATE, 0));
    assert_eq!(note.run(&["read"]).ok(), "hello\n");
    assert_eq!(note.run(&["read"]).ok(), "hello\n", "reading takes nothing away");
    let json = note.json(&["read", "--json"]);
    assert_eq!((&json["note"], &json["sequence"]), (&"hello".into(), &2.into()));
}

fn each_line_of_input_is_a_note_and_the_segment_stays_attached() {
    let note = Note::new();
    let mut writer = note.start(&["write"]);
    writer.line_with("attached");
    assert_eq!(note.attached(), 1);
    for text in ["one", "two words", ""] {
        writer.tell(format!("{text}\n"));
        writer.line_with("wrote");
        assert_eq!(note.run(&["read", "--json"]).code(), Some(0));
        assert_eq!(note.json(&["read", "--json"])["note"], text);
    }
    assert_eq!(note.attached(), 1);
    writer.tell("no newline at the end");
    writer.finish().ok();
    assert_eq!(note.attached(), 0);
    assert_eq!(note.run(&["read"]).ok(), "no newline at the end\n");
}

fn a_follower_prints_each_note_once() {
    let note = Note::new();
    note.run(&["write", "first"]).ok();
    let mut follower = note.start(&["read", "--follow"]);
    assert_eq!(follower.line(), "first");
    for text in ["second", "second", "third"] {
        note.run(&["write", text]).ok();
        assert_eq!(follower.line(), text, "an equal note is a note too");
    }
    assert_eq!(follower.line_within(Duration::from_millis(300)), None);
    follower.signal(Signal::SIGINT);
    assert_eq!(follower.finish().status.signal(), Some(2));

    let mut counted = note.start(&["read", "-f", "--count", "2", "--json"]);
    let first: Value = serde_json::from_str(&counted.line()).unwrap();
    assert_eq!(first["note"], "third");
    note.run(&["write", "fourth"]).ok();
    assert_eq!(counted.finish().ok().lines().count(), 2);
}

fn a_follower_waits_for_a_segment_and_notices_its_removal() {
    let note = Note::new();
    let mut follower = note.start(&["read", "--follow"]);
    assert_eq!(follower.line_within(Duration::from_millis(150)), None);
    note.run(&["write", "same"]).ok();
    assert_eq!(follower.line(), "same");
    let old = Segment::open(note.0).unwrap();
    note.run(&["remove"]).ok();
    until("the follower lets go, which deletes the segment", || old.stat().is_err());
    // The same text with the same sequence, in another segment: another note.
    note.run(&["write", "same"]).ok();
    assert_eq!(follower.line(), "same");
    follower.signal(Signal::SIGTERM);
    let followed = follower.finish();
    assert_eq!(followed.status.signal(), Some(15));
    assert!(followed.stderr.contains(&format!("segment {} was removed", old.id())), "{followed:?}");
    assert_eq!(note.attached(), 0);
}

fn reading_where_nothing_is_says_what_to_type() {
    let note = Note::new();
    let write = format!("write --key {} hello", note.0);
    note.fails(&["read"], &["shmget", "ENOENT", &write]);
    note.fails(&["status"], &["ENOENT", &write]);
    note.fails(&["remove"], &["ENOENT", "nothing to remove"]);
}

fn an_empty_note_and_a_note_that_vanished_are_told_apart() {
    let note = Note::new();
    note.run(&["write", ""]).ok();
    assert_eq!(note.run(&["read"]).ok(), "\n");
    let mut writer = note.start(&["write"]);
    writer.line_with("attached");
    note.run(&["remove"]).ok();
    writer.tell("into the void\n");
    let wrote = writer.finish();
    assert!(wrote.status.success() && wrote.stderr.contains("was removed"), "{wrote:?}");
    assert_eq!(note.run(&["read"]).ok(), "into the void\n", "in a new segment");
}

fn status_tells_all_and_its_json_the_same() {
    let note = Note::new();
    note.run(&["write", "--mode", "640", "hello"]).ok();
    let stat = Segment::open(note.0).unwrap().stat().unwrap();
    let said = note.run(&["status"]).ok();
    for part in [&note.0.to_string(), "0640", "1024 bytes", "0 times", "free", "even", "ended"] {
        assert!(said.contains(part), "{said} lacks {part}");
    }
    let json = note.json(&["status", "--json"]);
    assert_eq!(json["segment"]["id"], stat.id);
    assert_eq!(json["segment"]["key"], note.0.to_string());
    assert_eq!(json["segment"]["mode"], "0640");
    assert_eq!(json["segment"]["attached"], 0);
    assert_eq!(json["segment"]["marked_for_removal"], false);
    assert_eq!(json["lock"]["held"], false);
    assert_eq!(json["lock"]["sequence"], 2);
    assert_eq!(json["lock"]["last_pid"], stat.creator_pid);
}

fn removing_says_if_the_segment_lingers() {
    let note = Note::new();
    note.run(&["write", "hello"]).ok();
    let attached = Segment::open(note.0).unwrap().attach_read().unwrap();
    let said = note.run(&["remove"]).ok();
    assert!(said.contains("attached 1 time") && said.contains("0x00000000"), "{said}");
    let listed = Program::run(Command::new(OURS).arg("list")).ok();
    let id = attached.segment().id().to_string();
    let row = listed.lines().find(|line| line.split_whitespace().nth(1) == Some(&id)).unwrap();
    assert!(row.ends_with("marked") && listed.contains("marked for removal"), "{listed}");
    attached.detach().unwrap();

    note.run(&["write", "hello"]).ok();
    let said = note.run(&["remove"]).ok();
    assert!(said.starts_with("removed segment") && said.contains("removed semaphores"), "{said}");
}

fn list_and_limits_can_be_read_by_people_and_programs() {
    let note = Note::new();
    note.run(&["write", "hello"]).ok();
    let id = Segment::open(note.0).unwrap().id();
    let listed = Program::run(Command::new(OURS).arg("list")).ok();
    assert!(listed.contains(&note.0.to_string()), "{listed}");
    let json = Program::run(Command::new(OURS).args(["list", "--json"])).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    let found = json["segments"].as_array().unwrap().iter().find(|segment| segment["id"] == id);
    assert_eq!(found.unwrap()["size"], 1024);

    let limits = sysv_shm::limits().unwrap();
    let said = Program::run(Command::new(OURS).arg("limits")).ok();
    assert!(
        said.contains("SHMMNI") && said.contains(&limits.largest_segment.to_string()),
        "{said}"
    );
    let json = Program::run(Command::new(OURS).args(["limits", "--json"])).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["shmmni"], limits.most_segments);
    assert!(json["segments"].as_u64().unwrap() >= 1 && json["semaphores"].as_u64().unwrap() >= 3);
}

fn the_key_is_drawn_with_its_parts() {
    let folder = folder();
    let drawn = Program::run(Command::new(OURS).arg("key").arg(folder.path()).arg("0x1aa")).ok();
    assert!(drawn.contains("0xaa") && drawn.contains("thrown away"), "{drawn}");
    let json = Command::new(OURS).args(["key", "--json"]).arg(folder.path()).arg("0xaa").output();
    let json: Value = serde_json::from_slice(&json.unwrap().stdout).unwrap();
    let key = json["key"].as_str().unwrap();
    assert!(drawn.contains(key), "project 0x1aa gives the same key as 0xaa");
    let missing = Program::run(Command::new(OURS).args(["key", "/nonexistent"]));
    assert_eq!(missing.code(), Some(1));
    assert!(missing.stderr.contains("ENOENT"), "{missing:?}");
}

fn the_default_key_is_the_same_from_any_folder_and_differs_by_user() {
    let (one, two) = (folder(), folder());
    let key_of = |state: &testkit::Folder, from: &str| {
        let mut command = Command::new(OURS);
        command.args(["key", "--json"]).env("XDG_STATE_HOME", state.path()).current_dir(from);
        let json: Value = serde_json::from_str(&Program::run(&mut command).ok()).unwrap();
        (json["key"].as_str().unwrap().to_owned(), json["inode"].as_u64().unwrap())
    };
    assert_eq!(key_of(&one, "/"), key_of(&one, "/proc"));
    // The keys may collide, by 16 bits of inode; the files behind them do not.
    assert_ne!(key_of(&one, "/").1, key_of(&two, "/").1);
    let file = one.path().join("ipc-course/sysv-shm.key");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

fn a_size_or_mode_that_was_named_has_to_be_so() {
    let note = Note::new();
    note.run(&["write", "--size", "100", "--mode", "640", "kept"]).ok();
    note.fails(&["write", "--size", "200", "new"], &["EEXIST", "100", "200"]);
    note.fails(&["write", "--mode", "600", "new"], &["EEXIST", "0640", "0600"]);
    assert_eq!(note.run(&["read"]).ok(), "kept\n");
    note.run(&["write", "--size", "100", "--mode", "0640", "new"]).ok();
    note.run(&["write", "newer"]).ok();
    assert_eq!(note.run(&["read"]).ok(), "newer\n");
    let other = Note::new();
    other.fails(&["write", "--size", "0", "x"], &["EINVAL", "SHMMIN"]);
    other.fails(&["write", "--size", &usize::MAX.to_string(), "x"], &["EINVAL", "SHMMAX"]);
}

fn a_text_that_does_not_fit_changes_nothing() {
    let note = Note::new();
    note.run(&["write", "--size", "8", "before"]).ok();
    note.fails(&["write", "12345678"], &["ERANGE", "8 bytes", "9 bytes"]);
    assert_eq!(note.run(&["read"]).ok(), "before\n");
    note.run(&["write", "1234567"]).ok();
    assert_eq!(note.run(&["read"]).ok(), "1234567\n");
    // Of many lines, the ones that fit are written.
    let mut writer = note.start(&["write"]);
    writer.tell(b"much too long a line\na\0nul\nlast\n");
    let wrote = writer.finish();
    assert_eq!(wrote.code(), Some(1));
    assert!(wrote.stderr.contains("20 bytes of text"), "{wrote:?}");
    assert!(wrote.stderr.contains("ERANGE") && wrote.stderr.contains("EINVAL"), "{wrote:?}");
    assert_eq!(note.run(&["read"]).ok(), "last\n");
    // A segment that is too short for a futex word, and one with room for the NUL only.
    for (size, text) in [("3", "ab"), ("1", "")] {
        let short = Note::new();
        short.run(&["write", "--size", size, text]).ok();
        let mut follower = short.start(&["read", "--follow", "--json", "--count", "1"]);
        if text.is_empty() {
            assert_eq!(follower.line_within(Duration::from_millis(200)), None);
            follower.signal(Signal::SIGTERM);
            follower.finish();
        } else {
            let json: Value = serde_json::from_str(&follower.finish().ok()).unwrap();
            assert_eq!(json["note"], text);
        }
    }
}

fn bytes_that_are_no_text_are_shown_and_counted() {
    let note = Note::new();
    let mut writer = note.start(&["write"]);
    writer.tell(b"caf\xe9 \x1b[31m\n");
    writer.finish().ok();
    assert_eq!(note.run(&["read"]).ok(), "caf\\xe9 \\u{1b}[31m\n");
    let json = note.json(&["read", "--json"]);
    assert_eq!((&json["utf8"], &json["bytes"]), (&false.into(), &10.into()));
}

/// A writer that has begun, and then waits.
fn stuck_writer(note: &Note) -> common::Child {
    let writer = NoteWriter::open_or_create(note.0, &Wanted::default()).unwrap().into_inner();
    let lock = writer.lock();
    let stuck = child(|| {
        let _writing = lock.acquire(common::LONG).unwrap();
        loop {
            std::thread::park();
        }
    });
    until("it writes", || lock.state().unwrap().sequence % 2 == 1);
    stuck
}

fn a_note_whose_writer_died_is_reported_and_replaced() {
    let note = Note::new();
    note.run(&["write", "half of this may be overwritten"]).ok();
    stuck_writer(&note).kill_9();
    let read = note.run(&["read"]);
    assert_eq!((read.code(), read.stdout.as_str()), (Some(1), ""));
    assert!(read.stderr.contains("died"), "{read:?}");
    assert!(note.run(&["status"]).ok().contains("died in the middle"));
    let wrote = note.run(&["write", "whole"]);
    assert!(wrote.status.success() && wrote.stderr.contains("taken its place"), "{wrote:?}");
    assert_eq!(note.run(&["read"]).ok(), "whole\n");
}

fn a_reader_does_not_wait_for_a_stuck_writer_for_ever() {
    let note = Note::new();
    note.run(&["write", "before"]).ok();
    let stuck = stuck_writer(&note);
    let holder = format!("process {}", stuck.pid());
    note.fails(&["read"], &["EBUSY", &holder]);
    assert!(note.run(&["status"]).ok().contains(&format!("held by {holder}")));
}

fn a_writer_says_for_whom_it_waits_and_can_be_interrupted() {
    let note = Note::new();
    note.run(&["write", "before"]).ok();
    let stuck = stuck_writer(&note);
    let mut patient = note.start(&["write", "patience"]);
    patient.line_with("attached");
    let impatient = note.start(&["write", "impatience"]);
    std::thread::sleep(Duration::from_millis(1_500));
    impatient.signal(Signal::SIGINT);
    let ended = impatient.finish();
    assert_eq!(ended.status.signal(), Some(2), "{ended:?}");
    assert!(ended.stderr.contains(&format!("process {} holds it", stuck.pid())), "{ended:?}");
    stuck.kill_9();
    assert!(patient.finish().status.success());
    assert_eq!(note.run(&["read"]).ok(), "patience\n");
}

fn signals_end_every_waiting_command_and_show_in_the_exit_status() {
    let note = Note::new();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let waiting = note.start(&["read", "--follow"]);
        let mut writer = note.start(&["write"]);
        writer.line_with("attached");
        until("both are attached", || note.attached() == 2);
        for program in [waiting, writer] {
            program.signal(signal);
            assert_eq!(program.finish().status.signal(), Some(signal as i32));
        }
        assert_eq!(note.attached(), 0);
        assert!(!sysv_shm::Lock::open(note.0).unwrap().state().unwrap().held);
    }
}

fn a_closed_pipe_ends_a_command_in_silence() {
    let note = Note::new();
    note.run(&["write", "--size", "100000", &"x".repeat(99_000)]).ok();
    let key = note.0.to_string();
    for arguments in
        [&["list"][..], &["limits"], &["read", "--key", &key], &["status", "--key", &key]]
    {
        let mut command = Command::new(OURS);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut started = command.spawn().unwrap();
        drop(started.stdout.take());
        let ended = started.wait_with_output().unwrap();
        assert!(ended.status.success() && ended.stderr.is_empty(), "{arguments:?}: {ended:?}");
    }
}

fn wrong_usage_is_exit_code_2() {
    for arguments in [
        &[][..],
        &["nothing"],
        &["read", "--key", "0"],
        &["read", "--key", "7", "--path", "/"],
        &["read", "--count", "1"],
        &["read", "--follow", "--count", "0"],
        &["write", "--mode", "888", "x"],
        &["write", "--size", "many", "x"],
        &["key", "/", "0"],
    ] {
        let finished = Program::run(Command::new(OURS).args(arguments));
        assert_eq!(finished.code(), Some(2), "{arguments:?}: {finished:?}");
        assert!(!finished.stderr.is_empty() && finished.stdout.is_empty());
    }
    for arguments in [&["--help"][..], &["--version"], &["write", "--help"], &["help", "read"]] {
        let help = Program::run(Command::new(OURS).args(arguments)).ok();
        assert!(!help.is_empty());
    }
}

fn colours_are_only_for_terminals_that_want_them() {
    let note = Note::new();
    note.run(&["write", "hello"]).ok();
    let line = format!("{OURS} status --key {}", note.0);
    let at_a_terminal = |no_color: Option<&str>| {
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        Program::run(&mut command).stdout
    };
    assert!(at_a_terminal(None).contains('\x1b'));
    assert!(!at_a_terminal(Some("1")).contains('\x1b'));
    assert!(!note.run(&["status"]).ok().contains('\x1b'));
}

/// The ids of the segments that this process and the programs it started did not make.
fn nattch_in(told: &str) -> Vec<&str> {
    told.lines()
        .filter_map(|line| line.split("nattch ").nth(1))
        .filter_map(|rest| rest.split(|sign: char| !sign.is_ascii_digit()).next())
        .collect()
}

fn the_demo_shows_what_the_kernel_holds_and_leaves_nothing() {
    let demo = Program::start(Command::new(OURS).arg("demo"));
    let narrator = demo.pid();
    let told = demo.finish().ok();
    assert_eq!(nattch_in(&told), ["0", "1", "2", "1", "0", "1", "1"], "{told}");
    for part in ["key 0x00000000", "SHM_DEST", "ENOENT", "reads \"you will find this one"] {
        assert!(told.contains(part), "{told} lacks {part}");
    }
    assert!(told.contains("EINVAL") || told.contains("EIDRM"), "{told}");
    assert_eq!(told.matches(" starts: ").count(), 5, "five processes besides the narrator");
    assert!(list().unwrap().iter().all(|stat| stat.creator_pid.cast_unsigned() != narrator));
    assert_nothing_is_left(&told);
}

/// Nothing under the key that the demo named.
fn assert_nothing_is_left(told: &str) {
    let Some(key) = told.split("key ").find_map(|rest| rest.get(..10)?.parse::<Key>().ok()) else {
        return;
    };
    until("nothing is left under the demo's key", || {
        Segment::open(key).is_err() && sysv_shm::Lock::open(key).is_err()
    });
}

fn a_demo_that_is_interrupted_leaves_nothing() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        for moment in ["narrator", "hello", "reads", "SHM_DEST"] {
            let mut demo = Program::start(Command::new(OURS).arg("demo"));
            let last = demo.line_with(moment);
            demo.signal(signal);
            let finished = demo.finish();
            // It may have come to its end before the signal came.
            let by = finished.status.signal();
            assert!(by == Some(signal as i32) || finished.code() == Some(0), "{finished:?}");
            assert_nothing_is_left(&format!("{}{last}", finished.stdout));
        }
    }
}

fn a_demo_that_is_killed_leaves_nothing() {
    for moment in ["narrator", "starts", "hello", "reads", "SHM_DEST"] {
        let mut demo = Program::start(Command::new(OURS).arg("demo"));
        demo.line_with(moment);
        let finished = demo.kill_9();
        assert_nothing_is_left(&finished.stdout);
        // Its actors, and who cleans up behind it, are ours now (testkit makes us a subreaper).
        until("everyone it started has ended", || {
            loop {
                match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                    Ok(WaitStatus::StillAlive) => return false,
                    Ok(_) => {}
                    Err(_) => return true,
                }
            }
        });
    }
}

fn a_full_system_is_named() {
    testkit::enter_namespaces();
    fs::write("/proc/sys/kernel/shmmni", "1").unwrap();
    let (one, two) = (Note::new(), Note::new());
    one.run(&["write", "x"]).ok();
    two.fails(&["write", "x"], &["ENOSPC", "SHMMNI"]);
}
