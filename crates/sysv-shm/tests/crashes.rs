//! kill -9 at random moments: no torn note is ever read, and the next writer goes on.

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use common::{Child, LONG, child, key, until};
use ipc_common::Key;
use ipc_common::view::{Text, Woken, WriteView};
use sysv_shm::note::{Before, NoteReader, NoteWriter, Reading, Wanted, remove};
use sysv_shm::{AttachedWrite, Mode, Segment};
use testkit::need;

testkit::cases! {
    no_torn_note_is_read_however_writers_are_killed needs need::sysv;
    without_the_lock_torn_notes_are_read needs need::sysv;
    two_writers_at_once_lose_no_note_and_tear_none needs need::sysv;
    a_note_outlives_everyone_who_was_attached needs need::sysv;
    a_writer_wakes_the_reader_that_follows needs need::sysv;
}

const SIZE: usize = 128 * 1024;

/// A large note that shows if it is torn: one letter, and a length that belongs to the letter.
fn note(number: u64) -> Vec<u8> {
    let letter = u8::try_from(number % 26).expect("there are 26");
    vec![b'a' + letter; SIZE - 1 - 1_000 * usize::from(letter)]
}

fn is_torn(text: &Text) -> bool {
    let first = text.as_bytes().first().copied().unwrap_or(b'a');
    text.as_bytes() != note(u64::from(first.wrapping_sub(b'a')))
}

/// Counters that all processes of a test see.
struct Tally(AttachedWrite);

impl Tally {
    fn new() -> Tally {
        let segment = Segment::create(Key::PRIVATE, 64, Mode::PRIVATE).unwrap();
        let attached = segment.attach_write().unwrap();
        segment.mark_for_removal().unwrap();
        Tally(attached)
    }

    fn of(&self, number: usize) -> &AtomicU32 {
        self.0.view().atomic_u32(4 * number).unwrap()
    }

    fn get(&self, number: usize) -> u32 {
        self.of(number).load(Ordering::SeqCst)
    }

    fn count(&self, number: usize) {
        self.of(number).fetch_add(1, Ordering::SeqCst);
    }
}

const WHOLE: usize = 0;
const ABANDONED: usize = 1;
const BUSY: usize = 2;
const TORN: usize = 3;
const DONE: usize = 4;

fn random_micros(below: u64) -> Duration {
    Duration::from_micros(testkit::random_u64() % below)
}

fn write_for_ever(key: Key) {
    let mut writer = NoteWriter::open_or_create(key, &Wanted::default()).unwrap().into_inner();
    let notes: Vec<_> = (0..26).map(note).collect();
    for number in 0.. {
        writer.put(&notes[number % notes.len()], LONG).unwrap();
    }
}

fn read_until_done(key: Key, tally: &Tally) {
    let mut reader = NoteReader::open(key).unwrap();
    while tally.get(DONE) == 0 {
        tally.count(match reader.read().unwrap() {
            Reading::Whole { text, .. } if !text.is_empty() && is_torn(&text) => TORN,
            Reading::Whole { .. } => WHOLE,
            Reading::Abandoned => ABANDONED,
            Reading::Busy => BUSY,
        });
    }
}

fn no_torn_note_is_read_however_writers_are_killed() {
    let mut rounds = testkit::rounds(15, 200);
    let (key, tally) = (key(), Tally::new());
    let wanted = Wanted { size: Some(SIZE), mode: None };
    let mut ours = NoteWriter::open_or_create(key, &wanted).unwrap().into_inner();
    let mut reader = NoteReader::open(key).unwrap();
    let readers: Vec<Child> = (0..2).map(|_| child(|| read_until_done(key, &tally))).collect();
    let (mut found, mut killed, mut abandoned) = (BTreeMap::new(), 0, 0);
    // Unless kills hit writes often, and the readers read, they show nothing.
    while let Some(round) = rounds.next(tally.get(WHOLE) > 0 && abandoned * 5 > killed) {
        let round = round as u64;
        let before = ours.lock().state().unwrap().sequence;
        let writer = child(|| write_for_ever(key));
        until("the writer writes", || ours.lock().state().unwrap().sequence > before + 1);
        sleep(random_micros(5_000));
        writer.kill_9();
        // A process that comes now sees at once how things are: nobody holds the lock any more.
        let left = reader.read().unwrap();
        let expected = match &left {
            Reading::Whole { text, .. } => {
                assert!(!is_torn(text), "round {round}");
                Before::Whole
            }
            Reading::Abandoned => Before::Abandoned,
            Reading::Busy => panic!("round {round}: the dead writer still holds the lock"),
        };
        assert_eq!(ours.put(&note(round), Duration::ZERO).unwrap(), expected, "round {round}");
        let text = reader.read().unwrap().text().cloned();
        assert_eq!(text.unwrap().as_bytes(), note(round), "round {round}");
        *found.entry(format!("{expected:?}")).or_insert(0) += 1;
        (killed, abandoned) = (killed + 1, abandoned + u64::from(expected == Before::Abandoned));
        // Time for the readers to see a whole note.
        sleep(random_micros(3_000));
    }
    tally.count(DONE);
    readers.into_iter().for_each(Child::succeed);
    remove(key).unwrap();
    say(&format!(
        "{killed} writers killed: the notes they left were {found:?}; readings: {} whole, {} abandoned, {} busy, {} torn",
        tally.get(WHOLE),
        tally.get(ABANDONED),
        tally.get(BUSY),
        tally.get(TORN)
    ));
    assert_eq!(tally.get(TORN), 0, "torn notes were read");
    assert!(tally.get(WHOLE) > 0, "the readers never saw a whole note, so they show nothing");
    assert!(abandoned * 5 > killed, "only {abandoned} of {killed} kills hit a write: {found:?}");
}

/// The wrong twin: the lecture's way. It shows that a torn note would be noticed.
fn without_the_lock_torn_notes_are_read() {
    let segment = Segment::create(Key::PRIVATE, SIZE, Mode::PRIVATE).unwrap();
    let attached = segment.attach_write().unwrap();
    segment.mark_for_removal().unwrap();
    let notes: Vec<_> = (0..26).map(note).collect();
    let put = |view: WriteView<'_>, number: usize| {
        let _ = view.put_text(&notes[number % notes.len()]).unwrap();
    };
    put(attached.view(), 0);
    let writer = child(|| {
        for number in 0.. {
            put(attached.view(), number);
        }
    });
    until("a torn note is read", || is_torn(&attached.view().text().unwrap()));
    writer.kill_9();
}

fn two_writers_at_once_lose_no_note_and_tear_none() {
    const NOTES: u64 = 200;
    let (key, tally) = (key(), Tally::new());
    let wanted = Wanted { size: Some(SIZE), mode: None };
    let ours = NoteWriter::open_or_create(key, &wanted).unwrap().into_inner();
    let readers: Vec<Child> = (0..1).map(|_| child(|| read_until_done(key, &tally))).collect();
    let write = |first: u64| {
        let mut writer = NoteWriter::open_or_create(key, &wanted).unwrap().into_inner();
        for number in 0..NOTES {
            assert_eq!(writer.put(&note(first + number), LONG).unwrap(), Before::Whole);
        }
    };
    let writers = [child(|| write(0)), child(|| write(13))];
    writers.into_iter().for_each(Child::succeed);
    tally.count(DONE);
    readers.into_iter().for_each(Child::succeed);
    assert_eq!(tally.get(TORN), 0);
    assert_eq!(ours.lock().state().unwrap().sequence, 2 * 2 * NOTES);
    remove(key).unwrap();
}

fn a_note_outlives_everyone_who_was_attached() {
    let key = key();
    child(|| {
        let mut writer = NoteWriter::open_or_create(key, &Wanted::default()).unwrap().into_inner();
        writer.put(b"still here", Duration::ZERO).unwrap();
    })
    .succeed();
    assert_eq!(Segment::open(key).unwrap().stat().unwrap().attached, 0);
    let mut reader = NoteReader::open(key).unwrap();
    assert_eq!(reader.read().unwrap().text().unwrap().to_string(), "still here");
    remove(key).unwrap();
}

fn a_writer_wakes_the_reader_that_follows() {
    let key = key();
    let mut writer = NoteWriter::open_or_create(key, &Wanted::default()).unwrap().into_inner();
    let mut reader = NoteReader::open(key).unwrap();
    reader.read().unwrap();
    let us = std::process::id().cast_signed();
    let other = child(|| {
        until("the reader sleeps", || common::sleeps(us));
        writer.put(b"wake up", Duration::ZERO).unwrap();
    });
    assert_ne!(reader.wait(LONG).unwrap(), Woken::TimedOut);
    assert_eq!(reader.read().unwrap().text().unwrap().to_string(), "wake up");
    other.succeed();
    remove(key).unwrap();
}

#[expect(clippy::print_stderr, reason = "how many kills hit a write is worth knowing")]
fn say(what: &str) {
    eprintln!("{what}");
}
