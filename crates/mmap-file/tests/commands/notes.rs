//! Reader and writer: what they print, take and refuse.

use super::*;

pub fn without_a_file_both_use_the_users_own_note() {
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

pub fn a_reader_prints_each_change_at_once() {
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

pub fn a_reader_that_starts_first_waits() {
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

pub fn every_prints_each_period_changed_or_not() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "again");
    let printed =
        Program::run(mmap_file(["reader", "--every", "5ms", "--count", "3"]).arg(&path)).ok();
    assert_eq!(printed, "again\nagain\nagain\n");
}

pub fn count_ends_the_reader() {
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

pub fn json_is_one_object_a_line() {
    let folder = testkit::folder();
    let path = folder.file("note");
    write(&path, "quote \" and backslash \\");
    let line = Program::run(mmap_file(["reader", "--json", "--count", "1"]).arg(&path)).ok();
    let found = json(&line);
    assert_eq!(found["note"], "quote \" and backslash \\");
    assert_eq!((&found["sequence"], &found["utf8"]), (&Value::from(2), &Value::from(true)));
}

/// Counted by the kernel: how often the process gave up the processor, and how long it had it.
pub fn a_reader_does_not_spin() {
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

pub fn a_replaced_and_a_removed_file_are_followed() {
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

pub fn refused_lines_leave_the_note_and_later_ones_go_on() {
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

pub fn a_line_without_an_end_counts() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = Program::start(&mut on("writer", &path));
    writer.tell("no end");
    writer.finish().ok();
    assert_eq!(text(&path), "no end");
}

pub fn strange_bytes_are_shown_and_not_obeyed() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = Program::start(&mut on("writer", &path));
    writer.tell(b"gr\xc3\xbc\xc3\x9fe \xff \x1b[31m\n");
    writer.finish().ok();
    let printed = Program::run(mmap_file(["reader", "--count", "1"]).arg(&path)).ok();
    assert_eq!(printed, "grüße \\xff \\u{1b}[31m\n");
}
