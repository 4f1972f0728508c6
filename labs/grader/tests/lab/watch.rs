//! `lab watch`, and an editor beside it.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal;
use testkit::{Case, Program};

use crate::course::{self, Course, right};
use crate::interrupted::{all_children, until};

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn()| Case { name, run, needs: &[course::rustc] };
    vec![
        case("a_save_is_checked_however_the_editor_saves", saves),
        case("cargos_lock_holds_up_nobody_who_watches", locks),
    ]
}

/// Reads on until the next check is over; what it said about the points.
fn points(program: &mut Program) -> String {
    let points = program.line_with(" points, in mode");
    program.line_with("watching");
    points
}

/// Reads on until a check has this result. (A file that is written in its place is empty first, and on
/// a busy machine that is seen, and checked.)
fn until_points(program: &mut Program, expected: &str) {
    while !points(program).starts_with(expected) {}
}

/// The names of all processes below one.
fn names_below(pid: u32) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = all_children(pid);
    while let Some(pid) = next.pop() {
        names.extend(fs::read_to_string(format!("/proc/{pid}/comm")));
        next.extend(all_children(pid.unsigned_abs()));
    }
    names
}

fn saves() {
    let course = Course::new();
    let file = course.path("course/labs/tiny/src/lib.rs");
    let starter = fs::read_to_string(&file).unwrap();
    let mut program = Program::start(&mut course.lab(["watch", "tiny"]));
    assert!(points(&mut program).starts_with("0 of"));
    // In place.
    course.write(&right());
    until_points(&mut program, "60 of");
    // A new file in its place, as vim does.
    fs::write(course.path("course/labs/tiny/src/.lib.rs.swp"), &starter).unwrap();
    fs::rename(course.path("course/labs/tiny/src/.lib.rs.swp"), &file).unwrap();
    assert!(points(&mut program).starts_with("0 of"));
    // Away, and there again later.
    fs::remove_file(&file).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    course.write(&right());
    until_points(&mut program, "60 of");
    // Another folder of that name, as after a checkout.
    let source = course.path("course/labs/tiny/src");
    fs::rename(&source, course.path("course/labs/tiny/old")).unwrap();
    fs::create_dir(&source).unwrap();
    course.write("pub fn put(");
    program.line_with("error");
    assert!(points(&mut program).starts_with("0 of"));
    // Many in a row: the last one counts.
    for n in 0..20 {
        course.write(&format!("{starter}\n// {n}"));
    }
    course.write(&right());
    until_points(&mut program, "60 of");
    // On a busy machine one of them may have been saved while the one before was about to be checked:
    // then the last is checked once more.
    let quiet = std::time::Duration::from_millis(2500);
    while program.line_within(quiet).is_some() {}
    // The same text again is no change. (By rename: a file that is being written is empty first, and
    // on a busy machine that can be seen.)
    fs::write(course.path("course/labs/tiny/src/.lib.rs.swp"), right()).unwrap();
    fs::rename(course.path("course/labs/tiny/src/.lib.rs.swp"), &file).unwrap();
    assert_eq!(program.line_within(quiet), None);

    // As Ctrl-C does; but whoever runs the tests in the background has made that one ignored.
    program.signal(Signal::SIGTERM);
    let done = program.finish();
    assert_eq!(done.status.signal(), Some(15), "{done:?}");
    // On a busy machine it says what takes so long.
    let building = |line: &str| line.starts_with("building the crates");
    assert!(done.stderr.lines().all(building) && !done.stdout.contains('\u{1b}'), "{done:?}");
    let listed = course.run(["list", "--json"]).ok();
    assert!(listed.contains("\"points\": 60"), "{listed}");
}

fn locks() {
    let course = Course::that_waits();
    course.write(&right());
    assert_eq!(course.run(["check", "tiny"]).code(), Some(0));
    // What cargo and rust-analyzer hold while they build.
    let debug = course.path("course/target/debug");
    fs::create_dir_all(&debug).unwrap();
    let lock = File::create(debug.join(".cargo-lock")).unwrap();
    let _held = Flock::lock(lock, FlockArg::LockExclusive).unwrap();
    let mut program = Program::start(&mut course.lab(["watch", "tiny"]));
    assert!(points(&mut program).starts_with("60 of"));
    // An end in the middle of a check leaves nothing; the case's sweep looks.
    course.write(&course::sleeps());
    let runs = || names_below(program.pid()).iter().any(|name| name.trim() == "driver");
    until("the program that does not answer runs", runs);
    program.signal(Signal::SIGTERM);
    assert_eq!(program.finish().status.signal(), Some(15));
}
