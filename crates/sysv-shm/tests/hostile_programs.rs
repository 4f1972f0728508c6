//! The binary, fed with garbage by whoever types, and beset by a hostile process while it runs. It
//! may print what it likes, but it ends with 0, 1 or 2, never by a panic or a fault, and never puts
//! on the terminal what a stranger wrote.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;
use std::time::Duration;

use ipc_common::Key;
use nix::sys::signal::Signal;
use sysv_shm::{Lock, Mode, Segment, SemaphoreSet};
use testkit::{Finished, Program, Random, peer, soak};

testkit::cases! {
    garbage_for_arguments_is_refused_in_words;
    garbage_on_standard_input_is_written_or_refused_line_by_line;
    a_reader_of_a_scribbled_segment_prints_nothing_that_drives_the_terminal;
    commands_on_a_segment_that_comes_and_goes_end_in_good_order;
    a_writer_that_is_kept_waiting_for_ever_says_so_and_ends_when_asked;
}

/// Whatever is left under the key when the case ends.
struct Ground(Key);

impl Ground {
    fn new() -> Ground {
        Ground(Key::from_raw(testkit::key()))
    }

    /// The command on this key.
    fn sysv_shm(&self, command: &str) -> Command {
        let mut program = sysv_shm(command);
        program.args(["--key", &self.0.to_string()]);
        program
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = sysv_shm::note::remove(self.0);
        // A set that is no lock is nothing that a note's removal would touch.
        let other = SemaphoreSet::open(self.0, 4, Duration::ZERO);
        let _ = other.and_then(SemaphoreSet::remove);
    }
}

fn sysv_shm(command: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_sysv-shm"));
    program.arg(command);
    program
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
        1 => "7".repeat(len).into_bytes(),
        2 => "é\u{202e}\u{1b}]0;x\u{7}".repeat(len).into_bytes(),
        _ => (0..len).map(|_| (random.any() as u8).max(1)).collect(),
    }
}

fn garbage_for_arguments_is_refused_in_words() {
    let (folder, ground) = (testkit::folder(), Ground::new());
    let mut random = Random::new();
    let commands = ["write", "read", "status", "remove", "list", "limits", "key"];
    let options = ["--size", "--mode", "--path", "--proj", "--json", "--count", "--follow", "--"];
    let values = ["18446744073709551615", "0", "-1", "0xffffffff", "1777", "", "R", "RR", "/"];
    for _ in 0..soak(80, 2_000) {
        let command = commands[random.below(commands.len())];
        // Never the user's own note, nor a follower, who would not end.
        let mut program = sysv_shm(command);
        program.env("XDG_STATE_HOME", folder.path());
        if !["list", "limits", "key"].contains(&command) {
            program.args(["--key", &ground.0.to_string()]);
        }
        for _ in 0..random.below(5) {
            match random.below(3) {
                0 => program.arg(OsString::from_vec(garbage(&mut random, 300))),
                1 => program.arg(options[random.below(options.len())]),
                _ => program.arg(values[random.below(values.len())]),
            };
        }
        let mut running = Program::start(&mut program);
        running.tell("");
        if program.get_args().any(|argument| argument == "--follow") {
            running.signal(Signal::SIGKILL);
            running.finish();
            continue;
        }
        let ended = running.finish();
        assert!(ended.code().is_some_and(|code| code <= 2), "{program:?}: {ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{program:?}: {ended:?}");
    }
}

fn garbage_on_standard_input_is_written_or_refused_line_by_line() {
    let (ground, mut random) = (Ground::new(), Random::new());
    for _ in 0..soak(10, 300) {
        let mut writer = Program::start(&mut ground.sysv_shm("write"));
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
        in_good_order(&writer.finish());
        assert_eq!(Program::run(&mut ground.sysv_shm("read")).ok(), "the last line\n");
    }
    let mut writer = Program::start(&mut ground.sysv_shm("write"));
    for _ in 0..40 {
        writer.tell(vec![b'e'; 1 << 20]);
    }
    writer.tell("\nshort\n");
    let ended = writer.finish();
    assert_eq!(ended.code(), Some(1));
    assert!(ended.stderr.contains("ERANGE"), "{ended:?}");
    assert_eq!(Program::run(&mut ground.sysv_shm("read")).ok(), "short\n");
}

fn a_reader_of_a_scribbled_segment_prints_nothing_that_drives_the_terminal() {
    let ground = Ground::new();
    let segment = Segment::create(ground.0, 600, Mode::PRIVATE).unwrap();
    let attached = segment.attach_write().unwrap();
    let evil = "\x1b]0;stolen\x07\x1b[2J\u{9b}31m\u{202e}\r\n\x08".as_bytes();
    let scribbler = peer(move |random| {
        let view = attached.view();
        view.write(random.below(view.len() - evil.len()), evil).unwrap();
        view.write(random.below(view.len()), &[random.any() as u8]).unwrap();
        std::thread::sleep(Duration::from_micros(50));
    });
    for round in scribbler.soak(6, 60) {
        let mut follow = ground.sysv_shm("read");
        follow.args(["--follow", "--count", "5"]);
        for mut command in [ground.sysv_shm("read"), follow, ground.sysv_shm("status")] {
            if round % 2 == 0 {
                command.arg("--json");
            }
            in_good_order(&Program::run(&mut command));
        }
    }
}

fn commands_on_a_segment_that_comes_and_goes_end_in_good_order() {
    let ground = Ground::new();
    let key = ground.0;
    let stranger = peer(move |random| {
        let size = [1, 1024, 5_000][random.below(3)];
        let _ = match random.below(4) {
            0 => Segment::create(key, size, Mode::PRIVATE).map(drop),
            1 => Lock::open(key).and_then(Lock::remove),
            2 => SemaphoreSet::create(key, &[1; 4], Mode::PRIVATE).map(drop),
            _ => sysv_shm::note::remove(key).map(drop),
        };
        std::thread::sleep(Duration::from_micros(random.below(3_000) as u64));
    });
    for _ in stranger.soak(8, 200) {
        let mut follower = Program::start(ground.sysv_shm("read").arg("--follow"));
        let mut writer = Program::start(&mut ground.sysv_shm("write"));
        for line in 0..9 {
            writer.tell(format!("line {line}\n"));
            for command in ["read", "status", "remove"] {
                in_good_order(&Program::run(&mut ground.sysv_shm(command)));
            }
        }
        in_good_order(&writer.finish());
        let ran = follower.is_running();
        follower.signal(Signal::SIGTERM);
        let ended = follower.finish();
        assert!(ran || ended.code() == Some(1), "{ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    }
}

fn a_writer_that_is_kept_waiting_for_ever_says_so_and_ends_when_asked() {
    let ground = Ground::new();
    Program::run(ground.sysv_shm("write").arg("before"));
    let lock = Lock::open(ground.0).unwrap();
    let holder = peer(move |_| {
        std::mem::forget(lock.acquire(Duration::ZERO));
        std::thread::sleep(Duration::from_millis(1));
    });
    let mut writer = Program::start(ground.sysv_shm("write").arg("never"));
    std::thread::sleep(Duration::from_millis(1_800));
    assert!(writer.is_running());
    writer.signal(Signal::SIGTERM);
    let ended = writer.finish();
    let waiting = format!("waiting for the lock: process {}", holder.pid());
    assert!(ended.code().is_none() && ended.stderr.contains(&waiting), "{ended:?}");
    let busy = Program::run(&mut ground.sysv_shm("read"));
    assert_eq!(busy.code(), Some(1), "{busy:?}");
    assert!(busy.stderr.contains("EBUSY"), "{busy:?}");
    drop(holder);
    assert_eq!(Program::run(&mut ground.sysv_shm("read")).code(), Some(1), "abandoned");
    assert_eq!(Program::run(ground.sysv_shm("write").arg("after")).code(), Some(0));
    assert_eq!(Program::run(&mut ground.sysv_shm("read")).ok(), "after\n");
}
