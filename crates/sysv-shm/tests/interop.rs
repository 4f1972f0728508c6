//! Programs that nobody here wrote in Rust: the lecture's C, Perl, ipcs and ipcrm.

mod common;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::key;
use ipc_common::key::{Project, ftok};
use testkit::{Folder, Program, folder, need};

testkit::cases! {
    the_lectures_program_reads_what_we_write needs need::sysv, need::c_compiler;
    we_read_what_the_lectures_program_writes needs need::sysv, need::c_compiler;
    a_follower_sees_a_foreign_note_that_wakes_nobody needs need::sysv, need::c_compiler;
    perl_reads_what_we_write_and_we_read_what_perl_writes needs need::sysv, perl;
    a_text_that_fills_the_whole_segment_is_shown_and_said_to_have_no_end needs need::sysv, perl;
    ipcs_shows_our_segment_and_ipcrm_removes_it needs need::sysv, ipcs;
}

const OURS: &str = env!("CARGO_BIN_EXE_sysv-shm");

/// Perl itself: its shm functions are part of the core.
fn perl() -> Result<(), String> {
    there("perl", "-v")
}

fn ipcs() -> Result<(), String> {
    there("ipcs", "-V").and_then(|()| there("ipcrm", "-V"))
}

fn there(program: &str, argument: &str) -> Result<(), String> {
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("there is no {program}")),
    }
}

/// A compiled shmdemo, and a file for ftok of which nobody else has the key.
struct Lecture {
    folder: Folder,
    file: PathBuf,
}

impl Lecture {
    fn new() -> Lecture {
        let folder = folder();
        let file = (0..)
            .map(|number| folder.file(&format!("key-{number}")))
            .find(|file| {
                File::create(file).unwrap();
                // Another file may have the same 16 bits of inode.
                let key = ftok(file, Project::LECTURE).unwrap().key();
                sysv_shm::Segment::open(key).is_err() && sysv_shm::Lock::open(key).is_err()
            })
            .unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/shmdemo.c");
        let mut cc = Command::new("cc");
        cc.args(["-std=c99", "-D_XOPEN_SOURCE=700", "-Wall", "-Wextra", "-Werror", "-O2", "-o"]);
        Program::run(cc.arg(folder.file("shmdemo")).arg(source)).ok();
        Lecture { folder, file }
    }

    fn theirs(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.folder.file("shmdemo"));
        match arguments {
            ["-r"] => command.arg("-r").arg(&self.file),
            text => command.arg(&self.file).args(text),
        };
        command
    }

    fn ours(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(OURS);
        command.args(arguments).arg("--path").arg(&self.file);
        command
    }

    fn key(&self) -> ipc_common::Key {
        ftok(&self.file, Project::LECTURE).unwrap().key()
    }
}

impl Drop for Lecture {
    fn drop(&mut self) {
        // These keys are the file's, so the sweep does not know them.
        let _ = sysv_shm::note::remove(self.key());
    }
}

fn the_lectures_program_reads_what_we_write() {
    let lecture = Lecture::new();
    Program::run(&mut lecture.ours(&["write", "from Rust to C"])).ok();
    assert_eq!(Program::run(&mut lecture.theirs(&[])).ok(), "from Rust to C\n");
    Program::run(&mut lecture.ours(&["write", "and again"])).ok();
    assert_eq!(Program::run(&mut lecture.theirs(&[])).ok(), "and again\n");
    Program::run(&mut lecture.ours(&["remove"])).ok();
    let gone = Program::run(&mut lecture.theirs(&[]));
    assert!(gone.stderr.starts_with("shmget: No such file"), "{gone:?}");
}

fn we_read_what_the_lectures_program_writes() {
    let lecture = Lecture::new();
    Program::run(&mut lecture.theirs(&["from C to Rust"])).ok();
    assert_eq!(Program::run(&mut lecture.ours(&["read"])).ok(), "from C to Rust\n");
    let status = Program::run(&mut lecture.ours(&["status"])).ok();
    assert!(status.contains("no semaphores"), "{status}");
    // Our writer puts a lock beside their segment, and both sides go on.
    let wrote = Program::run(&mut lecture.ours(&["write", "thanks"])).ok();
    assert!(wrote.starts_with("attached segment"), "{wrote}");
    assert_eq!(Program::run(&mut lecture.theirs(&[])).ok(), "thanks\n");
    Program::run(&mut lecture.theirs(&["you're welcome"])).ok();
    assert_eq!(Program::run(&mut lecture.ours(&["read"])).ok(), "you're welcome\n");
    Program::run(&mut lecture.theirs(&["-r"])).ok();
    let removed = Program::run(&mut lecture.ours(&["remove"])).ok();
    assert!(removed.contains("no segment") && removed.contains("removed semaphores"), "{removed}");
}

fn a_follower_sees_a_foreign_note_that_wakes_nobody() {
    let lecture = Lecture::new();
    Program::run(&mut lecture.theirs(&["first"])).ok();
    let mut follower = Program::start(&mut lecture.ours(&["read", "--follow", "--count", "2"]));
    assert_eq!(follower.line(), "first");
    Program::run(&mut lecture.theirs(&["second"])).ok();
    assert_eq!(follower.line(), "second");
    follower.finish().ok();
}

fn perl_script(script: &str) -> String {
    Program::run(Command::new("perl").args(["-we", script])).ok()
}

fn perl_reads_what_we_write_and_we_read_what_perl_writes() {
    let key = key();
    let ours = |arguments: &[&str]| {
        Program::run(Command::new(OURS).args(arguments).args(["--key", &key.to_string()])).ok()
    };
    ours(&["write", "from Rust"]);
    let read = format!(
        "my $id = shmget({0}, 0, 0) // die $!; shmread($id, my $text, 0, 9) or die $!; print $text",
        key.raw()
    );
    assert_eq!(perl_script(&read), "from Rust\n");
    let write = format!(
        "my $id = shmget({0}, 0, 0) // die $!; shmwrite($id, \"from Perl\\0\", 0, 10) or die $!",
        key.raw()
    );
    perl_script(&write);
    assert_eq!(ours(&["read"]), "from Perl\n");
    ours(&["remove"]);
}

fn a_text_that_fills_the_whole_segment_is_shown_and_said_to_have_no_end() {
    let key = key();
    let write = format!(
        "my $id = shmget({0}, 8, 01600) // die $!; shmwrite($id, \"no end..\", 0, 8) or die $!",
        key.raw()
    );
    perl_script(&write);
    let named = ["--key", &key.to_string()];
    let read = Program::run(Command::new(OURS).arg("read").args(named));
    assert_eq!((read.code(), read.stdout.as_str()), (Some(0), "no end..\n"));
    assert!(read.stderr.contains("no NUL"), "{read:?}");
    Program::run(Command::new(OURS).arg("remove").args(named)).ok();
}

fn ipcs_shows_our_segment_and_ipcrm_removes_it() {
    let key = key();
    let named = ["--key", &key.to_string()];
    Program::run(Command::new(OURS).args(["write", "hello"]).args(named)).ok();
    let mut follower =
        Program::start(Command::new(OURS).args(["read", "--follow", "--count", "2"]).args(named));
    assert_eq!(follower.line(), "hello");
    let listed = |kind| {
        let table = Program::run(Command::new("ipcs").arg(kind)).ok();
        table.lines().find(|line| line.starts_with(&key.to_string())).map(str::to_owned)
    };
    let (segment, semaphores) = (listed("-m").unwrap(), listed("-s").unwrap());
    assert!(segment.contains(" 600 ") && segment.contains(" 1024 "), "{segment}");
    let id = |line: &str| line.split_whitespace().nth(1).unwrap().to_owned();
    Program::run(Command::new("ipcrm").args(["-m", &id(&segment), "-s", &id(&semaphores)])).ok();
    // The follower lets go of the removed one, and finds the next.
    Program::run(Command::new(OURS).args(["write", "hello"]).args(named)).ok();
    assert_eq!(follower.line(), "hello");
    let followed = follower.finish();
    assert!(followed.stderr.contains("was removed"), "{followed:?}");
    Program::run(Command::new(OURS).arg("remove").args(named)).ok();
    assert_eq!((listed("-m"), listed("-s")), (None, None));
}
