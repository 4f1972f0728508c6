//! Whoever dies, starts or scribbles at whichever moment.

use super::*;

const LARGE: usize = 128 * 1024;

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

pub fn kill_9_at_any_moment_never_shows_a_torn_note() {
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
pub fn without_the_protocol_torn_notes_are_seen() {
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

pub fn readers_and_writers_that_start_together_meet() {
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

pub fn a_scribbling_peer_can_cause_wrong_reports_only() {
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
