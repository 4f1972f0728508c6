//! With programs nobody here wrote in Rust: the lecture's, in C and mended, and Python's mmap.

mod common;

use std::fs;
use std::process::Command;

use common::{compile, mmap_file, on, text, write, writer};
use ipc_common::PageSize;
use testkit::{Program, need};

testkit::cases! {
    the_lectures_reader_reads_our_note needs need::c_compiler;
    our_reader_reads_and_follows_the_lectures_writer needs need::c_compiler;
    our_writer_adopts_what_the_lectures_writer_left needs need::c_compiler;
    the_lectures_writer_writes_into_our_note needs need::c_compiler;
    the_lectures_integer_is_ours needs need::c_compiler;
    pythons_mmap_reads_and_writes_our_note needs python;
}

fn python() -> Result<(), String> {
    match Command::new("python3").args(["-c", "import mmap"]).output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("there is no python3 with mmap".into()),
    }
}

fn the_lectures_reader_reads_our_note() {
    let folder = testkit::folder();
    let (program, path) = (compile("note", &folder), folder.file("file"));
    write(&path, "from Rust to C");
    let mut theirs = Program::start(Command::new(&program).arg(&path).arg("read"));
    assert_eq!(theirs.line(), "from Rust to C");
    write(&path, "and again");
    theirs.line_with("and again");
    theirs.kill_9();
}

fn our_reader_reads_and_follows_the_lectures_writer() {
    let folder = testkit::folder();
    let (program, path) = (compile("note", &folder), folder.file("file"));
    // The reader first: it waits for the file.
    let mut ours = Program::start(&mut on("reader", &path));
    let mut theirs = Program::start(Command::new(&program).arg(&path).arg("write"));
    for note in ["from C to Rust", "a store wakes nobody", "so we look"] {
        theirs.tell(format!("{note}\n"));
        assert_eq!(ours.line(), note);
    }
    theirs.finish().ok();
    let before = fs::read(&path).unwrap();
    assert_eq!(before.len(), PageSize::system().bytes());
    ours.kill_9();
    assert_eq!(fs::read(&path).unwrap(), before);
}

fn our_writer_adopts_what_the_lectures_writer_left() {
    let folder = testkit::folder();
    let (program, path) = (compile("note", &folder), folder.file("file"));
    let mut theirs = Program::start(Command::new(&program).arg(&path).arg("write"));
    theirs.tell("a long note from C\nshort\n");
    theirs.finish().ok();
    drop(writer(&path));
    assert_eq!(text(&path), "short");
    write(&path, "ours");
    assert_eq!(text(&path), "ours");
}

fn the_lectures_writer_writes_into_our_note() {
    let folder = testkit::folder();
    let (program, path) = (compile("note", &folder), folder.file("file"));
    write(&path, "ours");
    let mut ours = Program::start(&mut on("reader", &path));
    assert_eq!(ours.line(), "ours");
    let mut theirs = Program::start(Command::new(&program).arg(&path).arg("write"));
    theirs.tell("theirs\n");
    assert_eq!(ours.line(), "theirs");
    theirs.finish().ok();
    write(&path, "ours again");
    assert_eq!(ours.line(), "ours again");
    ours.kill_9();
}

fn the_lectures_integer_is_ours() {
    let folder = testkit::folder();
    let (program, path) = (compile("integer", &folder), folder.file("file"));
    for integer in [0, 1, -1, i32::MIN, 0x0102_0304] {
        fs::write(&path, integer.to_ne_bytes()).unwrap();
        let theirs = Program::run(Command::new(&program).arg(&path)).ok();
        let ours = Program::run(&mut on("int", &path)).ok();
        assert_eq!((theirs, ours), (format!("{integer}\n"), format!("{integer}\n")));
    }
}

fn pythons_mmap_reads_and_writes_our_note() {
    const SCRIPT: &str = "\
import mmap, sys
with open(sys.argv[1], 'r+b') as file, mmap.mmap(file.fileno(), 0) as memory:
    print(memory[:memory.find(b'\\0')].decode())
    memory[:12] = b'from Python\\0'
";
    let folder = testkit::folder();
    let path = folder.file("file");
    write(&path, "from Rust to Python");
    let theirs = Program::run(Command::new("python3").args(["-c", SCRIPT]).arg(&path)).ok();
    assert_eq!(theirs, "from Rust to Python\n");
    let ours = Program::run(mmap_file(["reader", "--count", "1"]).arg(&path)).ok();
    assert_eq!(ours, "from Python\n");
}
