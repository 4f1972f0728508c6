//! `lab grade`, interrupted: by Ctrl-C, by `kill -9`, and by the death of its own helpers.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::{Case, Program};

use crate::course::{self, Course, right, sleeps};

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn()| Case { name, run, needs: &[course::rustc] };
    vec![
        case("ctrl_c_finishes_what_is_under_way_and_the_next_run_goes_on", ctrl_c),
        case("ctrl_c_twice_and_kill_9_leave_half_a_result_that_is_done_again", half_done),
        case("a_failure_of_the_grader_is_no_zero", graders_failure),
        case("two_at_once_do_not_mix_their_results", two_at_once),
    ]
}

pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < until, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Course {
    fn entry(&self, folder: &str) -> Option<serde_json::Value> {
        let path = self.path("report/submissions").join(folder).join("report.json");
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// Starts to grade, one after the other.
    fn begin(&self) -> Program {
        Program::start(self.grade().args(["--jobs", "1"]))
    }

    /// Waits until a submission is built and its first check runs.
    fn until_it_runs(&self, folder: &str) {
        let is_built = || self.entry(folder).is_some_and(|entry| !entry["build"].is_null());
        until("a submission runs", is_built);
    }
}

fn ctrl_c() {
    let course = Course::new();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        course.hand_in(name, &right());
    }
    let program = course.begin();
    course.until_it_runs("b");
    program.signal(Signal::SIGINT);
    let done = program.finish();
    assert_eq!(done.status.signal(), Some(2), "{done:?}");
    assert!(done.stderr.contains("Ctrl-C again"), "{done:?}");
    // What was under way is finished, and the gradebook is there.
    for name in ["a", "b"] {
        assert_eq!(course.line(name)[1..], ["100", "100", "graded"]);
    }
    assert_eq!(course.line("h")[1..], ["", "100", "not graded"]);
    assert!(course.json("grades.json")["summary"]["not_graded"].as_u64() > Some(0));

    let seed = course.seed("a");
    let done = Program::run(&mut course.grade());
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert!(done.stdout.contains("8 of 8 graded"), "{done:?}");
    assert_eq!(course.seed("a"), seed);
}

fn half_done() {
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let course = Course::that_waits();
        course.hand_in("a", &right());
        course.hand_in("b", &sleeps());
        let program = course.begin();
        course.until_it_runs("b");
        let results = course.path("report/submissions/b/results.json");
        until("what is known is there for a platform", || results.exists());
        program.signal(signal);
        std::thread::sleep(Duration::from_millis(300));
        program.signal(signal);
        let done = program.finish();
        assert_eq!(done.status.signal(), Some(signal as i32), "{done:?}");
        let half = course.entry("b").unwrap();
        assert_eq!(half["is_whole"], false, "{half}");
        // A platform that ends the grader takes what is there.
        let results = course.json("submissions/b/results.json");
        let words = results["output"].as_str().unwrap();
        assert!(words.contains("stopped before its end"), "{results}");
        assert_eq!(results["tests"].as_array().unwrap().len(), 3);

        course.hand_in("b", &right());
        let seed = course.seed("a");
        let done = Program::run(&mut course.grade());
        assert_eq!(done.code(), Some(0), "{done:?}");
        assert!(done.stdout.contains("1 of them before"), "{done:?}");
        assert_eq!(course.seed("a"), seed);
        assert_ne!(course.seed("b"), half["seed"].as_str().unwrap());
    }
}

fn graders_failure() {
    let course = Course::that_waits();
    course.hand_in("a", &sleeps());
    course.hand_in("b", &right());
    let program = course.begin();
    course.until_it_runs("a");
    let mut warden = None;
    until("a cell is there", || {
        warden = all_children(program.pid()).first().copied();
        warden.is_some()
    });
    kill(Pid::from_raw(warden.unwrap()), Signal::SIGKILL).unwrap();
    let done = program.finish();
    assert_eq!(done.code(), Some(3), "{done:?}");
    assert!(done.stdout.contains("1 need a rerun"), "{done:?}");
    assert_eq!(course.line("a")[1..], ["", "100", "needs rerun"]);
    assert_eq!(course.line("b")[1..], ["100", "100", "graded"]);
    let results = course.json("submissions/a/results.json");
    assert!(results["score"].is_null() && results["tests"].is_null(), "{results}");
    let junit = fs::read_to_string(course.path("report/submissions/a/junit.xml")).unwrap();
    assert!(junit.contains("<error ") && junit.contains("errors=\"1\""), "{junit}");

    // The same command again takes up who is left, and nobody else.
    let seed = course.seed("b");
    course.hand_in("a", &right());
    let done = Program::run(&mut course.grade());
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert_eq!((course.seed("b"), course.line("a")[1].as_str()), (seed, "100"));
}

/// The children of all threads of a process.
pub fn all_children(pid: u32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>()
        })
        .collect()
}

fn two_at_once() {
    let course = Course::that_waits();
    course.hand_in("a", &sleeps());
    let mut first = course.begin();
    course.until_it_runs("a");
    let second = Program::run(&mut course.grade());
    assert_eq!(second.code(), Some(1), "{second:?}");
    assert!(second.stderr.contains("somebody else is grading"), "{second:?}");
    assert!(first.is_running());
    first.kill_9();
}
