//! What a reviewer found who used the binary. Each of these failed.

mod common;

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use common::{child, key};
use ipc_common::Key;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid};
use sysv_shm::{Lock, Mode, Segment, list, user_name};
use testkit::{Finished, Program, need};

testkit::cases! {
    a_text_that_would_not_fit_creates_nothing needs need::sysv;
    a_mode_that_shuts_out_its_owner_creates_nothing needs need::sysv;
    a_segment_that_cannot_be_attached_is_gone_again needs need::sysv;
    a_segment_that_gets_no_lock_is_gone_again needs need::sysv, need::root, need::namespaces;
    input_that_cannot_be_read_leaves_no_segment needs need::sysv;
    lines_of_which_none_was_written_leave_no_segment needs need::sysv;
    output_that_cannot_be_written_leaves_no_segment needs need::sysv;
    what_somebody_has_written_is_not_withdrawn needs need::sysv;
    the_way_to_remove_a_segment_names_its_key needs need::sysv;
    the_largest_size_is_given_in_full needs need::sysv;
    a_page_too_many_is_one_page needs need::sysv, need::root, need::namespaces;
    who_is_shut_out_learns_by_whom needs need::sysv, need::root;
    removing_and_looking_where_nothing_is_advise_no_creation needs need::sysv;
    semaphores_without_a_segment_are_reported needs need::sysv;
    lines_go_on_in_a_new_segment needs need::sysv;
    a_line_cut_for_the_old_segment_is_not_written_into_a_larger_one needs need::sysv;
    at_a_terminal_a_writer_of_lines_says_what_to_do needs need::sysv, terminal;
    without_a_keyboard_nobody_is_told_what_to_type needs need::sysv, terminal;
    tables_fit_80_columns needs need::sysv;
    several_words_are_one_text needs need::sysv;
}

/// `script` gives a program a terminal.
fn terminal() -> Result<(), String> {
    let mut there = Command::new("script");
    there.arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match there.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("there is no `script` to give a program a terminal".into()),
    }
}

const OURS: &str = env!("CARGO_BIN_EXE_sysv-shm");

struct Note(Key);

impl Note {
    fn new() -> Note {
        Note(key())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(OURS);
        command.args(arguments).args(["--key", &self.0.to_string()]);
        // As if it had not been cargo that started us; hints depend on it.
        command.env_remove("CARGO_PKG_NAME");
        command
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        Program::run(&mut self.command(arguments))
    }

    fn expect_nothing(&self) {
        assert!(Segment::open(self.0).is_err(), "a segment was left");
        assert!(Lock::open(self.0).is_err(), "a lock was left");
    }

    fn remove_command(&self) -> String {
        format!("{OURS} remove --key {}", self.0)
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let _ = sysv_shm::note::remove(self.0);
    }
}

/// One line of complaint, exit code 1.
fn complaint(finished: Finished) -> String {
    assert_eq!(finished.code(), Some(1), "{finished:?}");
    assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
    finished.stderr
}

fn a_text_that_would_not_fit_creates_nothing() {
    let note = Note::new();
    let long = "x".repeat(2000);
    for (arguments, needed) in [(&["write", "--size", "1", "hi"][..], 3), (&["write", &long], 2001)]
    {
        let said = complaint(note.run(arguments));
        assert!(said.contains("ERANGE") && said.contains(&format!("--size {needed}")), "{said}");
        assert!(!said.contains("remove"), "{said}");
        note.expect_nothing();
    }
    // What is there counts, and not what would be created.
    note.run(&["write", "--size", "3000", "large"]).ok();
    note.run(&["write", &long]).ok();
}

fn a_mode_that_shuts_out_its_owner_creates_nothing() {
    let note = Note::new();
    for mode in ["400", "200", "044", "0"] {
        let said = complaint(note.run(&["write", "--mode", mode, "hi"]));
        assert!(said.contains("EACCES") && said.contains("owner"), "{said}");
        note.expect_nothing();
    }
}

fn a_segment_that_cannot_be_attached_is_gone_again() {
    let note = Note::new();
    let mut command = note.command(&["write", "--size", "1000000000", "x"]);
    // SAFETY: between fork and exec: one setrlimit(2), no allocation.
    unsafe {
        command.pre_exec(|| Ok(setrlimit(Resource::RLIMIT_AS, 200 << 20, 200 << 20)?));
    }
    let said = complaint(Program::run(&mut command));
    assert!(said.contains("shmat") && said.contains("ENOMEM"), "{said}");
    note.expect_nothing();
}

fn a_segment_that_gets_no_lock_is_gone_again() {
    testkit::enter_namespaces();
    fs::write("/proc/sys/kernel/sem", "250 32000 32 0").unwrap();
    let note = Note::new();
    let said = complaint(note.run(&["write", "a"]));
    assert!(said.contains("semget") && said.contains("ENOSPC"), "{said}");
    note.expect_nothing();
}

fn input_that_cannot_be_read_leaves_no_segment() {
    let note = Note::new();
    let folder = fs::File::open("/").unwrap();
    let ended = note.command(&["write"]).stdin(folder).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1));
    assert!(said.contains("EISDIR") && said.contains("removed again"), "{said}");
    note.expect_nothing();
}

fn lines_of_which_none_was_written_leave_no_segment() {
    let note = Note::new();
    let mut writer = Program::start(&mut note.command(&["write", "--size", "4"]));
    writer.tell("too long\nnul\0\n");
    let ended = writer.finish();
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("--size 9") && !ended.stderr.contains("remove "), "{ended:?}");
    note.expect_nothing();
}

fn output_that_cannot_be_written_leaves_no_segment() {
    let note = Note::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = note.command(&["write", "hi"]).stdout(full).output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    note.expect_nothing();
}

fn what_somebody_has_written_is_not_withdrawn() {
    let note = Note::new();
    let mut writer = Program::start(&mut note.command(&["write"]));
    writer.line_with("created");
    note.run(&["write", "somebody else's"]).ok();
    writer.tell("nul\0\n");
    assert_eq!(writer.finish().code(), Some(1));
    assert_eq!(note.run(&["read"]).ok(), "somebody else's\n");
    // Nor what a foreign program has stored, without a lock.
    let other = Note::new();
    let mut writer = Program::start(&mut other.command(&["write"]));
    writer.line_with("created");
    let foreign = Segment::open(other.0).unwrap().attach_write().unwrap();
    let _ = foreign.view().put_text(b"foreign").unwrap();
    writer.tell("nul\0\n");
    assert_eq!(writer.finish().code(), Some(1));
    assert_eq!(other.run(&["read"]).ok(), "foreign\n");
    // A signal is no failure.
    let third = Note::new();
    let mut writer = Program::start(&mut third.command(&["write"]));
    writer.line_with("created");
    writer.signal(Signal::SIGINT);
    writer.finish();
    assert!(Segment::open(third.0).is_ok());
}

fn the_way_to_remove_a_segment_names_its_key() {
    let note = Note::new();
    note.run(&["write", "--mode", "640", "hi"]).ok();
    let long = "x".repeat(2000);
    for arguments in [
        &["write", "--size", "2048", "hi"][..],
        &["write", "--mode", "600", "hi"],
        &["write", &long],
    ] {
        let said = complaint(note.run(arguments));
        assert!(said.contains(&note.remove_command()), "{said}");
        assert!(!said.contains("`sysv-shm"), "{said}");
    }
    let mut by_cargo = note.command(&["write", "--size", "2048", "hi"]);
    let said = complaint(Program::run(by_cargo.env("CARGO_PKG_NAME", "sysv-shm")));
    assert!(said.contains(&format!("cargo run -p sysv-shm -- remove --key {}", note.0)), "{said}");
}

fn the_largest_size_is_given_in_full() {
    let note = Note::new();
    let largest = fs::read_to_string("/proc/sys/kernel/shmmax").unwrap();
    let largest: u64 = largest.trim().parse().unwrap();
    if largest < u64::MAX {
        let said = complaint(note.run(&["write", "--size", &u64::MAX.to_string(), "x"]));
        assert!(said.contains(&format!(" {largest} bytes (SHMMAX")), "{said}");
    }
    // What SHMMAX allows, the kernel still may not.
    let beyond_a_file = (isize::MAX as u64 + 1).to_string();
    complaint(note.run(&["write", "--size", &beyond_a_file, "x"]));
    note.expect_nothing();
}

fn a_page_too_many_is_one_page() {
    testkit::enter_namespaces();
    fs::write("/proc/sys/kernel/shmall", "0").unwrap();
    let said = complaint(Note::new().run(&["write", "x"]));
    assert!(said.contains("SHMALL") && said.contains("takes 1 page,"), "{said}");
}

fn who_is_shut_out_learns_by_whom() {
    let nobody = user_name(Uid::from_raw(65534));
    let whose = "belongs to root, and its mode";
    // The binary may lie where nobody else gets in.
    let folder = testkit::folder();
    let ours = folder.file("sysv-shm");
    fs::copy(OURS, &ours).unwrap();
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let run = |note: &Note, arguments: &[&str]| {
        let mut command = Command::new(&ours);
        command.args(arguments).args(["--key", &note.0.to_string()]);
        // As root, std leaves root's groups behind as well.
        complaint(Program::run(command.uid(65534).gid(65534)))
    };
    let private = Note::new();
    private.run(&["write", "secret"]).ok();
    let (key, whose_private) = (private.0.to_string(), format!("{whose} 0600"));
    for arguments in
        [&["read"][..], &["write", "x"], &["write", "--size", "1024", "x"], &["status"]]
    {
        let said = run(&private, arguments);
        assert!(said.contains("EACCES") && said.contains(&key), "{said}");
        assert!(said.contains(&whose_private) && !said.contains("read-only"), "{said}");
    }
    let readable = Note::new();
    readable.run(&["write", "--mode", "644", "public"]).ok();
    for arguments in [&["write", "x"][..], &["write", "--size", "1024", "x"]] {
        let said = run(&readable, arguments);
        assert!(said.contains("EACCES") && said.contains(&format!("{whose} 0644")), "{said}");
    }
    // Names, not numbers; and who asked as well as who owns.
    let open = Note::new();
    open.run(&["write", "--mode", "666", "x"]).ok();
    let said = run(&open, &["write", "x"]);
    assert!(said.contains("EEXIST") && said.contains("belongs to root"), "{said}");
    assert!(said.contains(&format!("wanted by {nobody}")), "{said}");
    let said = run(&open, &["write", "--size", "7", "x"]);
    assert!(said.contains("ask for 1024, or use another key"), "not theirs to remove: {said}");
    // A lock that a stranger has put there.
    let trap = Note::new();
    child(|| {
        nix::unistd::setgid(Gid::from_raw(65534)).unwrap();
        nix::unistd::setuid(Uid::from_raw(65534)).unwrap();
        Lock::beside(trap.0, Mode::new(0o666).unwrap()).unwrap();
    })
    .succeed();
    let said = complaint(trap.run(&["write", "x"]));
    assert!(said.contains("EPERM") && said.contains(&format!("belongs to {nobody}")), "{said}");
    assert!(Segment::open(trap.0).is_err(), "the segment was in vain");
    common::remove_set(trap.0);
}

fn removing_and_looking_where_nothing_is_advise_no_creation() {
    let note = Note::new();
    let said = complaint(note.run(&["remove"]));
    assert!(said.contains("nothing to remove") && !said.contains("create"), "{said}");
    let said = complaint(note.run(&["status"]));
    assert!(said.contains(&format!("{OURS} write --key {} hello", note.0)), "{said}");
}

fn semaphores_without_a_segment_are_reported() {
    let note = Note::new();
    note.run(&["write", "hi"]).ok();
    Segment::open(note.0).unwrap().mark_for_removal().unwrap();
    let set = Lock::open(note.0).unwrap().semaphores().id();
    let said = complaint(note.run(&["status"]));
    assert!(
        said.contains(&format!("set {set}")) && said.contains(&note.remove_command()),
        "{said}"
    );
    note.run(&["remove"]).ok();
    note.expect_nothing();
}

fn lines_go_on_in_a_new_segment() {
    let note = Note::new();
    let mut writer = Program::start(&mut note.command(&["write", "--size", "64"]));
    writer.line_with("created");
    for round in 0..3 {
        let old = Segment::open(note.0).unwrap();
        if round == 1 {
            // The segment alone, as by `ipcrm -M`.
            old.mark_for_removal().unwrap();
        } else {
            note.run(&["remove"]).ok();
        }
        writer.tell(format!("line {round}\n"));
        let intro = writer.line_with("created");
        assert!(intro.contains("64 bytes"), "as at the start: {intro}");
        writer.line_with("wrote");
        assert_eq!(note.run(&["read"]).ok(), format!("line {round}\n"));
        assert!(old.stat().is_err(), "detached from the old one, so it is gone");
    }
    let ended = writer.finish();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.stderr.matches("was removed").count(), 3, "{ended:?}");
    // Somebody else's new one is as good, if it is as wanted; and a text alone goes the same way.
    note.run(&["remove"]).ok();
    note.run(&["write", "after"]).ok();
    assert_eq!(note.run(&["read"]).ok(), "after\n");
}

fn a_line_cut_for_the_old_segment_is_not_written_into_a_larger_one() {
    let note = Note::new();
    let mut writer = Program::start(&mut note.command(&["write"]));
    writer.line_with("created");
    note.run(&["remove"]).ok();
    note.run(&["write", "--size", "9000", "new"]).ok();
    writer.tell(format!("short\n{}\n", "x".repeat(5000)));
    let ended = writer.finish();
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("5000 bytes of text"), "{ended:?}");
    assert_eq!(note.run(&["read"]).ok(), "short\n");
}

fn at_a_terminal_a_writer_of_lines_says_what_to_do() {
    let note = Note::new();
    let line = format!("{OURS} write --key {}", note.0);
    let mut writer = Program::start(Command::new("script").args(["-qec", &line, "/dev/null"]));
    writer.line_with("Type a line");
    let hint = writer.line_with("another terminal");
    assert!(hint.contains(&format!("read --key {} --follow", note.0)), "{hint}");
    writer.tell("hello\n");
    writer.line_with("wrote 5 bytes");
    writer.tell("\x04");
    writer.finish();
    assert_eq!(note.run(&["read"]).ok(), "hello\n");
}

fn without_a_keyboard_nobody_is_told_what_to_type() {
    let note = Note::new();
    // Standard error is a terminal, standard input is not: an actor of the demo.
    let key = note.0;
    let line = format!(
        "echo hello | {OURS} write --key {key}; {OURS} remove --key {key}; \
         timeout 1 {OURS} read --follow --key {key} < /dev/null"
    );
    let said = Program::run(Command::new("script").args(["-qec", &line, "/dev/null"])).stdout;
    assert!(said.contains("wrote 5 bytes"), "{said}");
    assert!(!said.contains("another terminal") && !said.contains("Type a line"), "{said}");
}

fn tables_fit_80_columns() {
    let note = Note::new();
    note.run(&["write", "--size", "1000000000", "hello"]).ok();
    let attached = Segment::open(note.0).unwrap().attach_read().unwrap();
    note.run(&["remove"]).ok();
    for table in ["list", "limits"] {
        let said = Program::run(Command::new(OURS).arg(table)).ok();
        // A note of the table's own, that ends with a newline.
        for line in said.lines() {
            assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        }
    }
    let listed = list().unwrap();
    assert!(listed.iter().any(|stat| stat.id == attached.segment().id()));
}

fn several_words_are_one_text() {
    let note = Note::new();
    note.run(&["write", "hello", "world"]).ok();
    assert_eq!(note.run(&["read"]).ok(), "hello world\n");
    note.run(&["write", "two  blanks", "kept"]).ok();
    assert_eq!(note.run(&["read"]).ok(), "two  blanks kept\n");
    // One text without a letter is still a text.
    let mut writer = note.command(&["write", ""]);
    let mut started = writer.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let _ = started.stdin.take().unwrap().write_all(b"never read\n");
    assert!(started.wait().unwrap().success());
    assert_eq!(note.run(&["read"]).ok(), "\n");
}
