//! The binary in a storm: a process that cuts, grows and replaces the file at any moment. Every
//! command goes on or ends in good order; none dies of a signal, and no reader prints half a note.

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use common::{mmap_file, on, writer};
use mmap_file::note::NoteReader;
use nix::sys::signal::Signal;
use testkit::{Peer, Program, peer};

testkit::cases! {
    a_reader_says_that_the_file_was_cut_and_goes_on_with_the_next_note;
    a_writer_makes_a_cut_file_a_note_again;
    a_writer_leaves_alone_what_somebody_else_put_there;
    writer_and_reader_live_through_a_storm_of_cuts_and_print_whole_notes;
    writer_and_reader_live_through_a_storm_of_cuts_and_replacements;
    every_other_command_ends_in_good_order_in_a_storm;
}

const PAGE: u64 = 4096;

fn cut(path: &Path, len: u64) {
    File::options().write(true).open(path).unwrap().set_len(len).unwrap();
}

/// A reader shows a note while its writer still looks whether the file is a note. A cut in that
/// moment would have it written, and shown, once more.
fn until_nobody_writes(path: &Path) {
    let reader = NoteReader::open(path).unwrap();
    while reader.is_locked().unwrap() {
        sleep(Duration::from_millis(1));
    }
}

fn a_reader_says_that_the_file_was_cut_and_goes_on_with_the_next_note() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut note = writer(&path);
    note.write(b"a rather long note", common::SECOND).unwrap();
    let mut reader = Program::start(&mut on("reader", &path));
    assert_eq!(reader.line(), "a rather long note");
    for (before, text) in ["second", "third"].into_iter().enumerate() {
        cut(&path, 8);
        reader.complained("cut the file shorter", before + 1);
        cut(&path, PAGE);
        // Time for a look at the zeros, of which nothing is said; nor would it be without the look.
        sleep(Duration::from_millis(100));
        note.renew(Default::default(), common::SECOND).unwrap();
        note.write(text.as_bytes(), common::SECOND).unwrap();
        assert_eq!(reader.line(), text);
    }
    reader.signal(Signal::SIGTERM);
    let ended = reader.finish();
    assert_eq!(ended.stderr.matches("cut the file shorter").count(), 2, "{}", ended.stderr);
}

fn a_writer_makes_a_cut_file_a_note_again() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut program = Program::start(&mut on("writer", &path));
    let mut reader = Program::start(&mut on("reader", &path));
    for (number, keep) in [0, 3, 5, 100, PAGE - 64, PAGE - 1].into_iter().enumerate() {
        program.tell(format!("note {number}\n"));
        assert_eq!(reader.line(), format!("note {number}"));
        until_nobody_writes(&path);
        cut(&path, keep);
    }
    program.tell("the last\n");
    assert_eq!(reader.line(), "the last");
    let ended = program.finish();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stderr.matches("making it a note again").count(), 6, "{}", ended.stderr);
    assert_eq!(fs::metadata(&path).unwrap().len(), PAGE);
    reader.signal(Signal::SIGTERM);
    reader.finish();
}

fn a_writer_leaves_alone_what_somebody_else_put_there() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let mut program = Program::start(&mut on("writer", &path));
    let mut reader = Program::start(&mut on("reader", &path));
    program.tell("before\n");
    assert_eq!(reader.line(), "before");
    until_nobody_writes(&path);
    fs::write(&path, "a list of names\n").unwrap();
    program.tell("after\n");
    let ended = program.finish();
    assert_eq!(ended.code(), Some(1));
    assert!(ended.stderr.contains("EEXIST") && ended.stderr.contains("--adopt"), "{ended:?}");
    assert_eq!(fs::read(&path).unwrap(), b"a list of names\n");
    reader.signal(Signal::SIGTERM);
    reader.finish();
}

/// Cuts the file and makes it longer; `replacing`, also puts another in its place.
fn storm(path: &Path, replacing: bool) -> Peer {
    storm_after(None, path, replacing)
}

fn storm_after(begin: Option<std::path::PathBuf>, path: &Path, replacing: bool) -> Peer {
    let (path, new) = (path.to_owned(), path.with_extension("new"));
    peer(move |random| {
        if begin.as_ref().is_some_and(|begin| !begin.exists()) {
            return sleep(Duration::from_millis(1));
        }
        let pause = Duration::from_micros(random.any() % 15_000);
        let file = File::options().write(true).open(&path);
        match (random.below(if replacing { 8 } else { 6 }), file) {
            (0..=2, Ok(file)) => file.set_len(random.below(2 * PAGE as usize) as u64).unwrap(),
            (3, Ok(file)) => file.set_len(0).unwrap(),
            (4..=5, Ok(file)) => file.set_len(PAGE).unwrap(),
            (6, _) => {
                // Beside it first, so that nobody finds it half done.
                if mmap_file::note::NoteWriter::create(&new, PAGE as usize).is_ok() {
                    fs::rename(&new, &path).unwrap();
                }
            }
            _ => drop(fs::remove_file(&path)),
        }
        sleep(pause);
    })
}

/// The same, from the moment on in which the file that is returned is there: a process has to be
/// forked before programs are started.
fn storm_that_waits(path: &Path, replacing: bool) -> (std::path::PathBuf, Peer) {
    let begin = path.with_extension("begin");
    (begin.clone(), storm_after(Some(begin), path, replacing))
}

/// Its number in front and behind, and one letter in between.
fn line(number: usize) -> String {
    let letters = char::from(b'a' + (number % 26) as u8).to_string();
    format!("{number}:{}:{number}", letters.repeat(number * 37 % 3000 + 1))
}

fn is_whole(text: &str) -> bool {
    let number = text.split(':').next().and_then(|number| number.parse().ok());
    number.is_some_and(|number| text == line(number))
}

/// Of a file that was put in the place of another, and cut before the reader's first look, it
/// cannot know that it ever was a note of ours: it shows what is there.
fn is_beginning(text: &str) -> bool {
    let number: String = text.chars().take_while(char::is_ascii_digit).collect();
    let known = number.parse().is_ok_and(|number| line(number).starts_with(text));
    known || number.len() == text.len()
}

fn writer_and_reader_live_through_a_storm_of_cuts_and_print_whole_notes() {
    live_through(false, is_whole);
}

fn writer_and_reader_live_through_a_storm_of_cuts_and_replacements() {
    live_through(true, |text| is_whole(text) || is_beginning(text));
}

fn live_through(replacing: bool, is_right: impl Fn(&str) -> bool) {
    let folder = testkit::folder();
    let path = folder.file("note");
    writer(&path).write(line(0).as_bytes(), common::SECOND).unwrap();
    let (begin, storm) = storm_that_waits(&path, replacing);
    let start = |command: &str| {
        // What is left of a note of an unknown writer is nothing to keep.
        let adopt: &[&str] = if command == "writer" { &["--adopt"] } else { &[] };
        Program::start(mmap_file([command]).args(adopt).arg(&path))
    };
    let mut readers = [start("reader"), start("reader")];
    assert!(readers.iter_mut().all(|reader| reader.line() == line(0)));
    let mut program = start("writer");
    program.tell(format!("{}\n", line(1)));
    assert!(readers.iter_mut().all(|reader| reader.line() == line(1)));
    fs::write(begin, "").unwrap();
    let mut shown = [0, 0];
    // Whether there was a line, other than that of an empty file: one that is cut to nothing before
    // its first note is empty.
    let count = |line: &str, shown: &mut usize| {
        assert!(is_right(line) || line.is_empty(), "torn: {line}");
        *shown += usize::from(!line.is_empty());
    };
    let mut rounds = storm.rounds_until(800, 20_000);
    while let Some(number) = rounds.next(storm.rounds() > 100 && !shown.contains(&0)) {
        program.tell(format!("{}\n", line(number)));
        sleep(Duration::from_micros(1_500));
        assert!(program.is_running(), "{:?}", program.finish());
        assert!(readers.iter_mut().all(Program::is_running), "{:?}", readers.map(Program::finish));
        for (reader, shown) in readers.iter_mut().zip(&mut shown) {
            while let Some(line) = reader.line_within(Duration::ZERO) {
                count(&line, shown);
            }
        }
    }
    let cuts = storm.rounds();
    drop(storm);
    program.tell("the storm is over\n");
    let ended = program.finish();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    for (reader, shown) in readers.iter_mut().zip(&mut shown) {
        loop {
            let line = reader.line();
            if line == "the storm is over" {
                break;
            }
            count(&line, shown);
        }
        reader.signal(Signal::SIGTERM);
    }
    for reader in readers {
        let ended = reader.finish();
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
    assert!(shown.iter().all(|shown| *shown > 0) && cuts > 100, "{shown:?} notes, {cuts} cuts");
    common::told(&format!("commands, replacing {replacing}: {cuts} cuts, notes shown {shown:?}"));
}

fn every_other_command_ends_in_good_order_in_a_storm() {
    let folder = testkit::folder();
    let path = folder.file("note");
    drop(writer(&path));
    let storm = storm(&path, true);
    let mut codes = [0, 0];
    let mut rounds = storm.rounds_until(60, 3_000);
    while let Some(round) = rounds.next(codes[0] > 0) {
        let mut command = match round % 6 {
            0 => on("info", &path),
            1 => on("private", &path),
            2 => on("int", &path),
            3 => mmap_file(["int", "--offset", "4092"]),
            4 => mmap_file(["reader", "--count", "1", "--every", "1ms"]),
            _ => on("writer", &path),
        };
        if matches!(round % 6, 3 | 4) {
            command.arg(&path);
        }
        let mut program = Program::start(&mut command);
        program.tell("a line\n");
        if round % 6 == 4 {
            // An empty file has no note to show, however long one waits.
            sleep(Duration::from_millis(20));
            program.signal(Signal::SIGTERM);
            let ended = program.finish();
            let by = std::os::unix::process::ExitStatusExt::signal(&ended.status);
            assert!(by.is_none_or(|signal| signal == Signal::SIGTERM as i32), "{ended:?}");
            continue;
        }
        let ended = program.finish();
        let code = ended.code().unwrap_or_else(|| panic!("{command:?}: {ended:?}"));
        assert!(code <= 1 && !ended.stderr.contains("panicked"), "{command:?}: {ended:?}");
        codes[code as usize] += 1;
    }
    assert!(codes[0] > 0, "{codes:?}");
    common::told(&format!("single commands: {} cuts, exit 0 and 1: {codes:?}", storm.rounds()));
}
