//! Lines that go on, and what terminals are told.

use super::*;

pub fn lines_go_on_in_a_new_segment() {
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

pub fn a_line_cut_for_the_old_segment_is_not_written_into_a_larger_one() {
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

pub fn at_a_terminal_a_writer_of_lines_says_what_to_do() {
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

pub fn without_a_keyboard_nobody_is_told_what_to_type() {
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

pub fn tables_fit_80_columns() {
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

pub fn several_words_are_one_text() {
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
