//! The note: whole or not at all, whoever dies, and whatever a stranger does to the file.

mod common;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use common::{Child, SECOND, mmap_file, read, text, writer};
use ipc_common::note::{Before, Reading};
use ipc_common::{Errno, PageSize};
use mmap_file::note::{Adopt, LONGEST_FILE, NoteReader, NoteWriter, TRAILER, Whereabouts};
use mmap_file::{Access, Anonymous, MapOptions, lock, open_file};
use testkit::random_u64;

testkit::cases! {
    a_note_goes_over_and_stays;
    an_empty_note_is_not_the_same_as_none;
    text_that_does_not_fit_or_holds_a_nul_leaves_the_note_as_it_was;
    a_waiting_reader_is_woken;
    a_reader_changes_nothing;
    an_odd_sequence_without_a_lock_is_abandoned_and_with_one_it_is_busy;
    the_next_writer_recovers;
    two_writers_at_once_take_turns;
    a_file_replaced_or_removed_is_noticed;
    a_lecture_file_is_adopted_with_its_text;
    a_reader_follows_a_file_that_is_adopted_under_it;
    somebodys_work_is_refused_and_left_as_it_is;
    a_note_of_another_page_size_is_a_note;
    a_note_whose_length_was_changed_is_not_written;
    absurd_lengths_do_not_fill_the_memory;
    kill_9_at_any_moment_never_shows_a_torn_note;
    without_the_protocol_torn_notes_are_seen;
    readers_and_writers_that_start_together_meet;
    a_scribbling_peer_can_cause_wrong_reports_only;
}

const LARGE: usize = 128 * 1024;

fn a_note_goes_over_and_stays() {
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

fn an_empty_note_is_not_the_same_as_none() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = writer(&path);
    assert!(matches!(read(&path), Reading::Whole { sequence: 0, .. }));
    writer.write(b"", SECOND).unwrap();
    assert!(matches!(read(&path), Reading::Whole { sequence: 2, .. }));
}

fn text_that_does_not_fit_or_holds_a_nul_leaves_the_note_as_it_was() {
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

fn a_waiting_reader_is_woken() {
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

fn a_reader_changes_nothing() {
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

fn an_odd_sequence_without_a_lock_is_abandoned_and_with_one_it_is_busy() {
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

fn the_next_writer_recovers() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = writer(&path);
    set_sequence(&open_file(&path, Access::ReadWrite).unwrap(), u32::MAX);
    assert_eq!(writer.write(b"mended", SECOND).unwrap(), Before::Abandoned);
    assert_eq!(text(&path), "mended");
    assert_eq!(writer.write(b"and on", SECOND).unwrap(), Before::Whole);
    assert_eq!(text(&path), "and on");
}

fn two_writers_at_once_take_turns() {
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

fn is_one_letter(found: &Reading) -> bool {
    let Some(text) = found.text() else { return false };
    let bytes = text.as_bytes();
    assert!(!is_torn(bytes), "a torn note of {} bytes", bytes.len());
    !bytes.is_empty()
}

/// Whether not all are the same. One comparison of two slices: a slow judge would see little.
fn is_torn(bytes: &[u8]) -> bool {
    bytes.len() > 1 && bytes[1..] != bytes[..bytes.len() - 1]
}

fn a_file_replaced_or_removed_is_noticed() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let writer_ = writer(&path);
    let reader = NoteReader::open(&path).unwrap();
    let both = || [writer_.whereabouts().unwrap(), reader.whereabouts().unwrap()];
    assert_eq!(both(), [Whereabouts::Here; 2]);
    fs::rename(&path, folder.file("elsewhere")).unwrap();
    assert_eq!(both(), [Whereabouts::Removed; 2]);
    let _other = writer(&path);
    assert_eq!(both(), [Whereabouts::Replaced; 2]);
    fs::rename(folder.file("elsewhere"), &path).unwrap();
    assert_eq!(both(), [Whereabouts::Here; 2]);
}

fn a_lecture_file_is_adopted_with_its_text() {
    let page = PageSize::system().bytes();
    for (bytes, says) in
        [(vec![], ""), (b"\0".to_vec(), ""), (b"from C\0\0\0\0".to_vec(), "from C")]
    {
        let folder = testkit::folder();
        let path = folder.file("lecture");
        fs::write(&path, &bytes).unwrap();
        let mut writer = writer(&path);
        assert_eq!(text(&path), says);
        assert_eq!(fs::metadata(&path).unwrap().len(), page as u64);
        writer.write(b"ours now", SECOND).unwrap();
        assert_eq!(text(&path), "ours now");
    }
}

fn a_reader_follows_a_file_that_is_adopted_under_it() {
    let folder = testkit::folder();
    let path = folder.file("lecture");
    fs::write(&path, "").unwrap();
    let mut reader = NoteReader::open(&path).unwrap();
    assert!(!reader.is_note().unwrap() && reader.read().unwrap().text().unwrap().is_empty());
    fs::write(&path, "by hand\0").unwrap();
    assert_eq!(reader.read().unwrap().text().unwrap().to_string(), "by hand");
    writer(&path).write(b"a note", SECOND).unwrap();
    assert_eq!(reader.read().unwrap().text().unwrap().to_string(), "a note");
    assert!(reader.is_note().unwrap());
}

fn somebodys_work_is_refused_and_left_as_it_is() {
    let page = PageSize::system().bytes();
    let full_page = [b"text\0".to_vec(), vec![b'x'; page - 5]].concat();
    for bytes in
        [b"no NUL at all\n".to_vec(), b"Hi".to_vec(), b"a\0list\0of\0names\0".to_vec(), full_page]
    {
        let folder = testkit::folder();
        let path = folder.file("work");
        fs::write(&path, &bytes).unwrap();
        let refused = NoteWriter::open(&path, Adopt::Lecture, SECOND).unwrap_err();
        assert_eq!(refused.errno(), Errno::EEXIST);
        assert!(refused.remedy().contains("--adopt"), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
        let mut by_force = NoteWriter::open(&path, Adopt::Anything, SECOND).unwrap().0;
        by_force.write(b"taken", SECOND).unwrap();
        assert_eq!(text(&path), "taken");
    }
}

fn a_note_of_another_page_size_is_a_note() {
    let folder = testkit::folder();
    for len in [128, 4096, 16384, 65536, LONGEST_FILE] {
        let path = folder.file(&format!("{len}"));
        let mut created = NoteWriter::create(&path, len).unwrap();
        created.write(b"far away", SECOND).unwrap();
        assert_eq!((text(&path).as_str(), writer(&path).capacity()), ("far away", len - 65));
    }
    for len in [0, 64, 100, 4097, LONGEST_FILE + 64] {
        let refused = NoteWriter::create(folder.file("odd"), len).unwrap_err();
        assert_eq!(refused.errno(), Errno::EINVAL, "{len}");
    }
}

fn a_note_whose_length_was_changed_is_not_written() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut writer = writer(&path);
    writer.write(b"before", SECOND).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(100).unwrap();
    assert_eq!(writer.write(b"after", SECOND).unwrap_err().errno(), Errno::EBADMSG);
    file.set_len(8192).unwrap();
    assert_eq!(writer.write(b"after", SECOND).unwrap_err().errno(), Errno::EBADMSG);
    assert_eq!(text(&path), "before");
}

fn absurd_lengths_do_not_fill_the_memory() {
    let folder = testkit::folder();
    let path = folder.file("sparse");
    let file = File::create(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    assert!(read(&path).text().unwrap().is_empty());
    let refused = NoteWriter::open(&path, Adopt::Anything, SECOND).unwrap_err();
    assert!(refused.remedy().contains("too long"), "{refused}");
    assert_eq!(file.metadata().unwrap().len(), 1 << 40);
}

/// Writes notes of one repeated letter, back to back, until it is killed.
fn write_for_ever(path: &std::path::Path) {
    let mut writer = writer(path);
    for letter in (b'a'..=b'z').cycle() {
        writer.write(&vec![letter; writer.capacity()], 40 * SECOND).unwrap();
    }
}

/// Looks, and judges each look, until a random moment in the next few milliseconds.
fn look_for_a_while(mut judge: impl FnMut()) {
    let until = Instant::now() + Duration::from_micros(500 + random_u64() % 10_000);
    while Instant::now() < until {
        judge();
    }
}

fn kill_9_at_any_moment_never_shows_a_torn_note() {
    let folder = testkit::folder();
    let path = folder.file("note");
    drop(NoteWriter::create(&path, LARGE).unwrap());
    // A real reader besides the library's, whose every line is looked at in the end.
    let printed = File::create(folder.file("printed")).unwrap();
    let mut printing = mmap_file(["reader"]).arg(&path).stdout(printed).spawn().unwrap();
    let mut reader = NoteReader::open(&path).unwrap();
    let (mut whole, mut abandoned) = (0, 0);
    let (mut round, rounds) = (0, testkit::soak(15, 200));
    // On a busy machine a writer may be killed before it begins: then there are more rounds.
    while round < rounds || abandoned == 0 || whole == 0 {
        round += 1;
        let writing = Child::start(|| write_for_ever(&path));
        look_for_a_while(|| whole += usize::from(is_one_letter(&reader.read().unwrap())));
        drop(writing); // kill -9
        // The lock is gone with its holder, so this is no race.
        let found = reader.read().unwrap();
        assert_ne!(found, Reading::Busy, "round {round}");
        is_one_letter(&found);
        let expected = if found == Reading::Abandoned {
            abandoned += 1;
            Before::Abandoned
        } else {
            Before::Whole
        };
        let mut next = writer(&path);
        assert_eq!(next.write(b"!!!", SECOND).unwrap(), expected, "round {round}");
        assert_eq!(text(&path), "!!!");
    }
    // The last note stays, so the reader that prints comes to print it.
    while !fs::read(folder.file("printed")).unwrap().contains(&b'\n') {
        std::thread::sleep(Duration::from_millis(5));
    }
    printing.kill().unwrap();
    printing.wait().unwrap();
    let printed = fs::read(folder.file("printed")).unwrap();
    // The last line may be cut: the reader was killed, too.
    let lines: Vec<&[u8]> = printed.split(|byte| *byte == b'\n').collect();
    for line in &lines[..lines.len() - 1] {
        assert!(!is_torn(line), "a torn note was printed");
    }
}

/// The detector: the same writer and the same judge, and plain stores instead of the protocol.
fn without_the_protocol_torn_notes_are_seen() {
    let folder = testkit::folder();
    let path = folder.file("plain");
    let file = mmap_file::create_new(&path, LARGE as u64, 0o600, |_| Ok(())).unwrap();
    let mapping = MapOptions::new().read_write().map(&file).unwrap();
    let _writing = Child::start(|| {
        for letter in (b'a'..=b'z').cycle() {
            mapping.write_view().unwrap().write(0, &vec![letter; LARGE - 1]).unwrap();
        }
    });
    let mut reader = NoteReader::open(&path).unwrap();
    loop {
        // Ends when one is seen; if none ever is, the watchdog says so.
        let found = reader.read().unwrap();
        let bytes = found.text().unwrap().as_bytes();
        if is_torn(bytes) {
            return;
        }
    }
}

fn readers_and_writers_that_start_together_meet() {
    for _ in 0..testkit::soak(10, 200) {
        let folder = testkit::folder();
        let path = folder.file("note");
        let readers: [Child; 4] = std::array::from_fn(|_| {
            Child::start(|| {
                let mut reader = loop {
                    match NoteReader::open(&path) {
                        Ok(reader) => break reader,
                        Err(error) => assert_eq!(error.errno(), Errno::ENOENT),
                    }
                };
                assert!(reader.is_note().unwrap(), "seen before it was a note");
                while !is_one_letter(&reader.read().unwrap()) {
                    reader.wait(SECOND).unwrap();
                }
            })
        });
        let writers = [b'a', b'b'].map(|letter| {
            Child::start(|| {
                writer(&path).write(&[letter; 100], 40 * SECOND).unwrap();
            })
        });
        writers.into_iter().for_each(Child::join);
        readers.into_iter().for_each(Child::join);
        assert!(matches!(read(&path), Reading::Whole { sequence: 4, .. }));
    }
}

fn a_scribbling_peer_can_cause_wrong_reports_only() {
    let folder = testkit::folder();
    let path = folder.file("note");
    drop(writer(&path));
    let scribbling = Child::start(|| {
        let file = open_file(&path, Access::ReadWrite).unwrap();
        let mapping = MapOptions::new().read_write().map(&file).unwrap();
        let view = mapping.write_view().unwrap();
        let mut seed = random_u64() | 1;
        loop {
            // Xorshift: what comes is not to repeat.
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let at = seed as usize % mapping.len();
            match seed % 8 {
                // The trailer gets more than its share: mostly a sound one with a wild sequence.
                0 | 1 => view.write(mapping.len() - 52, &seed.to_ne_bytes()[4..]).unwrap(),
                2 | 3 => view.write(mapping.len() - 64, b"ipc-note\x01\0\0\0").unwrap(),
                4 => view.write(mapping.len() - 64 + at % 64, &[seed as u8]).unwrap(),
                5 => view.wake_all(mapping.len() - 52).unwrap(),
                6 => drop(lock::try_lock(&file)),
                _ => view.write(at, &[(seed >> 8) as u8]).unwrap(),
            }
        }
    });
    let mut reader = NoteReader::open(&path).unwrap();
    let mut found = std::collections::BTreeSet::new();
    let (mut rounds, least) = (0, testkit::soak(300, 5000));
    // If the scribbler has no effect, the watchdog says so.
    while rounds < least || found.len() < 2 {
        rounds += 1;
        found.insert(match reader.read().unwrap() {
            Reading::Whole { .. } => "whole",
            Reading::Abandoned => "abandoned",
            Reading::Busy => "busy",
        });
        reader.wait(Duration::from_millis(1)).unwrap();
        let (_, _) = (reader.is_note().unwrap(), reader.is_locked().unwrap());
        if let Ok((mut writer, _)) = NoteWriter::open(&path, Adopt::Anything, SECOND) {
            if let Err(error) = writer.write(b"try", SECOND) {
                assert!(matches!(error.errno(), Errno::EBADMSG | Errno::EAGAIN), "{error}");
            }
            writer.flush().unwrap();
        }
    }
    drop(scribbling);
    let mut writer = NoteWriter::open(&path, Adopt::Anything, SECOND).unwrap().0;
    writer.write(b"calm again", SECOND).unwrap();
    assert_eq!(text(&path), "calm again");
}
