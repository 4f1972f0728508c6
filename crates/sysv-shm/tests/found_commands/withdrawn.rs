//! What is created and not used goes again.

use super::*;

pub fn a_text_that_would_not_fit_creates_nothing() {
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

pub fn a_mode_that_shuts_out_its_owner_creates_nothing() {
    let note = Note::new();
    for mode in ["400", "200", "044", "0"] {
        let said = complaint(note.run(&["write", "--mode", mode, "hi"]));
        assert!(said.contains("EACCES") && said.contains("owner"), "{said}");
        note.expect_nothing();
    }
}

pub fn a_segment_that_cannot_be_attached_is_gone_again() {
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

pub fn a_segment_that_gets_no_lock_is_gone_again() {
    testkit::enter_namespaces();
    fs::write("/proc/sys/kernel/sem", "250 32000 32 0").unwrap();
    let note = Note::new();
    let said = complaint(note.run(&["write", "a"]));
    assert!(said.contains("semget") && said.contains("ENOSPC"), "{said}");
    note.expect_nothing();
}

pub fn input_that_cannot_be_read_leaves_no_segment() {
    let note = Note::new();
    let folder = fs::File::open("/").unwrap();
    let ended = note.command(&["write"]).stdin(folder).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1));
    assert!(said.contains("EISDIR") && said.contains("removed again"), "{said}");
    note.expect_nothing();
}

pub fn lines_of_which_none_was_written_leave_no_segment() {
    let note = Note::new();
    let mut writer = Program::start(&mut note.command(&["write", "--size", "4"]));
    writer.tell("too long\nnul\0\n");
    let ended = writer.finish();
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("--size 9") && !ended.stderr.contains("remove "), "{ended:?}");
    note.expect_nothing();
}

pub fn output_that_cannot_be_written_leaves_no_segment() {
    let note = Note::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = note.command(&["write", "hi"]).stdout(full).output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    note.expect_nothing();
}

pub fn what_somebody_has_written_is_not_withdrawn() {
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
