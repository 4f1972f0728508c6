//! Notes that are written, followed and read.

use super::*;

pub fn a_note_that_is_written_can_be_read() {
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

pub fn each_line_of_input_is_a_note_and_the_segment_stays_attached() {
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

pub fn a_follower_prints_each_note_once() {
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

pub fn a_follower_waits_for_a_segment_and_notices_its_removal() {
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

pub fn reading_where_nothing_is_says_what_to_type() {
    let note = Note::new();
    let write = format!("write --key {} hello", note.0);
    note.fails(&["read"], &["shmget", "ENOENT", &write]);
    note.fails(&["status"], &["ENOENT", &write]);
    note.fails(&["remove"], &["ENOENT", "nothing to remove"]);
}

pub fn an_empty_note_and_a_note_that_vanished_are_told_apart() {
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
