//! The binary, fed with garbage by whoever types, and beset by a hostile process while it runs. It
//! may print what it likes, but it ends with 0, 1 or 2, never by a panic or a fault, and never puts
//! on the terminal what a stranger wrote.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mmap_file::note::{Adopt, NoteWriter};
use mmap_file::{Access, MapOptions, open_file};
use nix::sys::signal::Signal;
use testkit::{Finished, Program, Random, peer, soak};

testkit::cases! {
    garbage_for_arguments_is_refused_in_words;
    garbage_on_standard_input_is_written_or_refused_line_by_line;
    a_reader_of_a_scribbled_file_prints_nothing_that_drives_the_terminal;
    a_reader_and_a_writer_of_a_file_that_is_swapped_all_the_time_end_in_good_order;
    a_writer_that_is_kept_waiting_for_ever_says_so_and_ends_when_asked;
}

fn mmap_file() -> Command {
    Command::new(env!("CARGO_BIN_EXE_mmap-file"))
}

fn in_good_order(ended: &Finished) {
    assert!(ended.code().is_some_and(|code| code <= 2), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    let driving = |c: char| c.is_control() && c != '\n' && c != '\t';
    assert!(!ended.stdout.contains(driving), "{ended:?}");
}

fn garbage(random: &mut Random, longest: usize) -> Vec<u8> {
    let len = random.below(longest);
    match random.below(4) {
        0 => vec![b'-'; len.min(9)],
        1 => "9".repeat(len).into_bytes(),
        2 => "é\u{202e}\u{1b}]0;x\u{7}".repeat(len).into_bytes(),
        _ => (0..len).map(|_| (random.any() as u8).max(1)).collect(),
    }
}

fn garbage_for_arguments_is_refused_in_words() {
    let (folder, mut random) = (testkit::folder(), Random::new());
    let (note, missing) = (folder.file("note"), folder.file("missing"));
    drop(NoteWriter::create(&note, 4096).unwrap());
    let words = ["int", "info", "private", "maps", "--offset", "--endian", "--json", "0x", "-1"];
    let numbers = ["18446744073709551615", "0xffffffffffffffff", "4093", "4294967296", "NaN"];
    for _ in 0..soak(60, 2_000) {
        let mut command = mmap_file();
        command.current_dir(folder.path()).arg(words[random.below(4)]);
        for _ in 0..random.below(5) {
            match random.below(6) {
                0 => command.arg(OsString::from_vec(garbage(&mut random, 300))),
                1 => command.arg(words[random.below(words.len())]),
                2 => command.arg(numbers[random.below(numbers.len())]),
                3 => command.arg(&missing),
                _ => command.arg(&note),
            };
        }
        let ended = Program::run(&mut command);
        assert!(ended.code().is_some_and(|code| code <= 2), "{command:?}: {ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{command:?}: {ended:?}");
    }
    for every in ["0s", "1ns", "-1s", "99999999999999999999s", "x"] {
        let ended = Program::run(mmap_file().args(["reader", "--every", every]).arg(&note));
        assert_eq!(ended.code(), Some(2), "{every}: {ended:?}");
    }
    assert_eq!(Program::run(mmap_file().args(["reader", "--count", "0"])).code(), Some(2));
}

fn garbage_on_standard_input_is_written_or_refused_line_by_line() {
    let (folder, mut random) = (testkit::folder(), Random::new());
    let note = folder.file("note");
    for _ in 0..soak(10, 300) {
        let mut writer = Program::start(mmap_file().arg("writer").arg(&note));
        for _ in 0..8 {
            let mut line = match random.below(5) {
                0 => vec![0; 1 + random.below(9_000)],
                1 => vec![b'l'; random.below(100_000)],
                2 => b"before\0after".to_vec(),
                _ => garbage(&mut random, 500),
            };
            line.push(b'\n');
            writer.tell(&line);
        }
        writer.tell("the last line\n");
        let ended = writer.finish();
        in_good_order(&ended);
        let shown = Program::run(mmap_file().args(["reader", "--count", "1"]).arg(&note)).ok();
        assert_eq!(shown, "the last line\n");
    }
    // A line larger than any note, and no end of it in sight.
    let mut writer = Program::start(mmap_file().arg("writer").arg(&note));
    for _ in 0..40 {
        writer.tell(vec![b'e'; 1 << 20]);
    }
    writer.tell("\nshort\n");
    let ended = writer.finish();
    assert_eq!(ended.code(), Some(1));
    assert!(ended.stderr.contains("EMSGSIZE") && ended.stderr.contains("41943040"), "{ended:?}");
    let shown = Program::run(mmap_file().args(["reader", "--count", "1"]).arg(&note)).ok();
    assert_eq!(shown, "short\n");
}

fn scribbler(path: &Path) -> testkit::Peer {
    let file = open_file(path, Access::ReadWrite).unwrap();
    let mapping = MapOptions::new().read_write().map(&file).unwrap();
    let evil = "\x1b]0;stolen\x07\x1b[2J\u{9b}31m\u{202e}\r\n\x08".as_bytes();
    peer(move |random| {
        let view = mapping.write_view().unwrap();
        let at = random.below(view.len() - evil.len());
        view.write(at, evil).unwrap();
        view.write(random.below(view.len()), &[random.any() as u8]).unwrap();
        std::thread::sleep(Duration::from_micros(50));
    })
}

fn a_reader_of_a_scribbled_file_prints_nothing_that_drives_the_terminal() {
    let folder = testkit::folder();
    let note = folder.file("note");
    drop(NoteWriter::create(&note, 640).unwrap());
    let scribbler = scribbler(&note);
    for round in scribbler.soak(4, 60) {
        let mut command = mmap_file();
        command.args(["reader", "--count", "20"]).arg(&note);
        if round % 2 == 0 {
            command.args(["--every", "2ms"]);
        }
        if round % 3 == 0 {
            command.arg("--json");
        }
        in_good_order(&Program::run(&mut command));
        in_good_order(&Program::run(mmap_file().arg("info").arg(&note)));
        in_good_order(&Program::run(mmap_file().arg("private").arg(&note)));
        if round >= 4 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn a_reader_and_a_writer_of_a_file_that_is_swapped_all_the_time_end_in_good_order() {
    let folder = testkit::folder();
    let (note, new) = (folder.file("note"), folder.file("new"));
    let (theirs, other) = (note.clone(), new.clone());
    let stranger = peer(move |random| {
        let _ = match random.below(6) {
            0 => std::fs::remove_file(&theirs),
            1 => std::fs::write(&other, b"lecture\0\0\0")
                .and_then(|()| std::fs::rename(&other, &theirs)),
            2 => std::os::unix::fs::symlink("/dev/null", &other)
                .and_then(|()| std::fs::rename(&other, &theirs)),
            _ => {
                let made = NoteWriter::create(&other, 4096);
                made.map(|mut made| made.write(b"swapped", Duration::ZERO)).map(drop).ok();
                std::fs::rename(&other, &theirs)
            }
        };
        std::thread::sleep(Duration::from_millis(5));
    });
    for _ in stranger.soak(2, 60) {
        let mut reader = Program::start(mmap_file().arg("reader").arg(&note));
        let mut writer = Program::start(mmap_file().arg("writer").arg(&note));
        for line in 0..30 {
            writer.tell(format!("line {line}\n"));
            std::thread::sleep(Duration::from_millis(2));
        }
        in_good_order(&writer.finish());
        // Asked to end, or ended by itself at the sight of what is no file.
        let ran = reader.is_running();
        reader.signal(Signal::SIGTERM);
        let ended = reader.finish();
        assert!(ran || ended.code() == Some(1), "{ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    }
}

fn a_writer_that_is_kept_waiting_for_ever_says_so_and_ends_when_asked() {
    let folder = testkit::folder();
    let note = folder.file("note");
    let (mut before, _) = NoteWriter::open(&note, Adopt::Lecture, Duration::from_secs(9)).unwrap();
    before.write(b"before", Duration::from_secs(9)).unwrap();
    let file = open_file(&note, Access::ReadWrite).unwrap();
    let holder = peer(move |_| {
        std::mem::forget(mmap_file::lock::try_lock(&file).unwrap());
        std::thread::sleep(Duration::from_millis(1));
    });
    let mut writer = Program::start(mmap_file().arg("writer").arg(&note));
    writer.tell("never\n");
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(writer.is_running() && holder.rounds() > 0);
    writer.signal(Signal::SIGTERM);
    let ended = writer.finish();
    assert!(ended.code().is_none() && ended.stderr.contains("still waiting"), "{ended:?}");
    drop(holder);
    let shown = Program::run(mmap_file().args(["reader", "--count", "1"]).arg(&note)).ok();
    assert_eq!(shown, "before\n");
}
