//! Notes that go over, and writers that take turns.

use super::*;

pub fn a_note_goes_over_and_stays() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = writer(&path);
    let mut reader = NoteReader::open(&path).unwrap();
    let mut sequences = vec![];
    for note in ["one", "a longer one", "two", "two"] {
        assert_eq!(writer.write(note.as_bytes(), SECOND).unwrap(), Before::Whole);
        let Reading::Whole { text, sequence } = reader.read().unwrap() else { panic!() };
        assert_eq!(text.to_string(), note);
        sequences.push(sequence);
    }
    assert_eq!(sequences, [2, 4, 6, 8], "the same text twice is two notes");
    writer.flush().unwrap();
    drop((writer, reader));
    assert_eq!(text(&path), "two");
    assert_eq!(fs::metadata(&path).unwrap().len(), PageSize::system().bytes() as u64);
    assert!(fs::read(&path).unwrap().starts_with(b"two\0"), "the lecture's layout");
}

pub fn an_empty_note_is_not_the_same_as_none() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = writer(&path);
    assert!(matches!(read(&path), Reading::Whole { sequence: 0, .. }));
    writer.write(b"", SECOND).unwrap();
    assert!(matches!(read(&path), Reading::Whole { sequence: 2, .. }));
}

pub fn text_that_does_not_fit_or_holds_a_nul_leaves_the_note_as_it_was() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = writer(&path);
    let room = writer.capacity();
    assert_eq!(room, PageSize::system().bytes() - TRAILER - 1);
    writer.write(&vec![b'x'; room], SECOND).unwrap();
    let before = fs::read(&path).unwrap();
    let errno = |result: ipc_common::Result<Before>| result.unwrap_err().errno();
    assert_eq!(errno(writer.write(&vec![b'y'; room + 1], SECOND)), Errno::EMSGSIZE);
    assert_eq!(errno(writer.write(b"nul\0inside", SECOND)), Errno::EINVAL);
    assert_eq!(fs::read(&path).unwrap(), before);
    let Reading::Whole { text, .. } = read(&path) else { panic!() };
    assert!(text.len() == room && text.is_terminated());
}

pub fn a_waiting_reader_is_woken() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = writer(&path);
    let asleep = Anonymous::new(1).unwrap();
    let sleeper = Child::start(|| {
        let mut reader = NoteReader::open(&path).unwrap();
        reader.read().unwrap();
        asleep.view().write(0, &[1]).unwrap();
        // Longer than the watchdog's patience: only a call can end it.
        reader.wait(Duration::from_secs(10_000)).unwrap();
    });
    while asleep.view().read_vec(0, 1).unwrap() == [0] {
        std::thread::yield_now();
    }
    writer.write(b"wake up", SECOND).unwrap();
    sleeper.join();
}

pub fn a_reader_changes_nothing() {
    let folder = testkit::folder();
    let path = folder.file("note");
    writer(&path).write(b"hello", SECOND).unwrap();
    let state = || {
        let found = fs::metadata(&path).unwrap();
        (found.modified().unwrap(), found.len(), fs::read(&path).unwrap())
    };
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
    let before = state();
    let mut reader = NoteReader::open(&path).unwrap();
    for _ in 0..10 {
        reader.read().unwrap();
        reader.wait(Duration::from_millis(1)).unwrap();
        assert!(reader.is_note().unwrap() && !reader.is_locked().unwrap());
    }
    assert!(
        mmap_file(["reader", "--count", "1"])
            .arg(&path)
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(state(), before);
}

/// Where a file's sequence is: 12 bytes into its last 64.
fn set_sequence(file: &File, sequence: u32) {
    let len = file.metadata().unwrap().len();
    file.write_all_at(&sequence.to_ne_bytes(), len - 64 + 12).unwrap();
}

pub fn an_odd_sequence_without_a_lock_is_abandoned_and_with_one_it_is_busy() {
    let folder = testkit::folder();
    let path = folder.file("note");
    writer(&path).write(b"whole", SECOND).unwrap();
    let file = open_file(&path, Access::ReadWrite).unwrap();
    set_sequence(&file, 5);
    assert_eq!(read(&path), Reading::Abandoned);
    let lock = lock::try_lock(&file).unwrap().unwrap();
    assert_eq!(read(&path), Reading::Busy);
    set_sequence(&file, 6);
    assert_eq!(text(&path), "whole");
    drop(lock);
}

pub fn the_next_writer_recovers() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = writer(&path);
    set_sequence(&open_file(&path, Access::ReadWrite).unwrap(), u32::MAX);
    assert_eq!(writer.write(b"mended", SECOND).unwrap(), Before::Abandoned);
    assert_eq!(text(&path), "mended");
    assert_eq!(writer.write(b"and on", SECOND).unwrap(), Before::Whole);
    assert_eq!(text(&path), "and on");
}

pub fn two_writers_at_once_take_turns() {
    let folder = testkit::folder();
    let path = folder.file("note");
    drop(NoteWriter::create(&path, 64 * 1024).unwrap());
    let each = testkit::soak(300, 5000);
    let write = |letter| {
        let mut writer = writer(&path);
        for round in 0..each {
            let note = vec![letter; 1 + (round * 37) % writer.capacity()];
            assert_eq!(writer.write(&note, 40 * SECOND).unwrap(), Before::Whole);
        }
    };
    let writers = [b'a', b'b', b'c'].map(|letter| Child::start(|| write(letter)));
    let mut reader = NoteReader::open(&path).unwrap();
    while writers.iter().any(Child::is_running) {
        is_one_letter(&reader.read().unwrap());
    }
    writers.into_iter().for_each(Child::join);
    let Reading::Whole { sequence, .. } = reader.read().unwrap() else { panic!() };
    assert_eq!(sequence, 2 * 3 * each as u64, "each note was written once, none over another");
}
