//! What does not fit, does not end, or belongs to a writer who died.

use super::*;

pub fn a_size_or_mode_that_was_named_has_to_be_so() {
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

pub fn a_text_that_does_not_fit_changes_nothing() {
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

pub fn bytes_that_are_no_text_are_shown_and_counted() {
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

pub fn a_note_whose_writer_died_is_reported_and_replaced() {
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

pub fn a_reader_does_not_wait_for_a_stuck_writer_for_ever() {
    let note = Note::new();
    note.run(&["write", "before"]).ok();
    let stuck = stuck_writer(&note);
    let holder = format!("process {}", stuck.pid());
    note.fails(&["read"], &["EBUSY", &holder]);
    assert!(note.run(&["status"]).ok().contains(&format!("held by {holder}")));
}

pub fn a_writer_says_for_whom_it_waits_and_can_be_interrupted() {
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
