//! What students do with `lab`: list, show, check, hint, reset, doctor.

use std::fs;
use std::process::Stdio;

use serde_json::Value;
use testkit::{Case, Finished, Program};

use crate::course::{self, Course, right};

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn()| Case { name, run, needs: &[course::rustc] };
    vec![
        case("progress_is_what_passed_last_and_survives_updates", progress),
        case("progress_that_cannot_be_kept_spoils_no_check", progress_lost),
        case("hints_come_one_after_the_other", hints),
        case("the_handout_is_shown", show),
        case("reset_keeps_what_it_replaces", reset),
        case("the_doctor_says_what_works_and_what_to_do", doctor),
        case("students_commands_refuse_what_makes_no_sense", refused),
    ]
}

impl Course {
    /// Writes the working copy of the tiny lab.
    pub fn write(&self, text: &str) {
        fs::write(self.path("course/labs/tiny/src/lib.rs"), text).unwrap();
    }

    fn listed(&self) -> Value {
        let labs: Value = serde_json::from_str(&self.run(["list", "--json"]).ok()).unwrap();
        labs[0].clone()
    }
}

fn progress() {
    let course = Course::new();
    let first = course.run(["list"]).ok();
    assert!(first.contains("0 of 100 points, 40 of them in hidden") && first.contains("not begun"));
    assert!(!first.contains('\u{1b}'), "{first}");

    let starter = course.run(["check", "tiny"]);
    assert_eq!(starter.code(), Some(1), "{starter:?}");
    assert_eq!((&course.listed()["points"], &course.listed()["next"]), (&0.into(), &"puts".into()));
    course.write(&right());
    let done = course.run(["check", "tiny"]);
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert!(done.stdout.contains("40 points are in hidden checks"), "{done:?}");
    let lab = course.listed();
    assert_eq!(
        (&lab["points"], &lab["next"], &lab["total"]),
        (&60.into(), &Value::Null, &100.into())
    );
    assert_eq!(lab["checks"].as_array().unwrap().len(), 1);

    // Half a line is no step back; something else that is looked at is not one's own.
    course.write("pub fn put(");
    assert_eq!(course.run(["check", "tiny"]).code(), Some(1));
    let starter = course::tiny("course/labs/tiny/src/lib.rs");
    course.run(["check", "tiny", "--submission", starter.to_str().unwrap()]);
    assert_eq!(course.listed()["points"], 60);

    // An update: a check more, before the other; and one that was there has gone.
    let file = course.path("home/ipc-course/labs.json");
    let kept = fs::read_to_string(&file).unwrap();
    fs::write(&file, kept.replace("\"puts\": true", "\"puts\": true, \"gone\": true")).unwrap();
    let rubric = course.path("course/labs/tiny/lab.toml");
    let text = fs::read_to_string(&rubric).unwrap();
    let more = "[[check]]\nid = \"new\"\ntitle = \"N\"\npoints = 10\nvisibility = \"visible\"\n\
                hint = \"H\"\n\n[[check]]\nid = \"puts\"";
    let text = text.replace("[[check]]\nid = \"puts\"", more).replace("points = 60", "points = 50");
    fs::write(rubric, text).unwrap();
    let lab = course.listed();
    assert_eq!((&lab["points"], &lab["next"]), (&50.into(), &"new".into()));
    course.run(["hint", "tiny"]);
    assert!(fs::read_to_string(&file).unwrap().contains("\"gone\""));
}

fn progress_lost() {
    let course = Course::new();
    course.write(&right());
    course.run(["check", "tiny"]);
    let file = course.path("home/ipc-course/labs.json");
    fs::write(&file, "{\"labs\": {\"tiny\"").unwrap();
    let done = course.run(["list"]);
    assert!(done.code() == Some(0) && done.stderr.contains("is damaged"), "{done:?}");
    assert!(course.path("home/ipc-course/labs.damaged").exists());
    assert!(course.run(["check", "tiny"]).stderr.is_empty());
    assert_eq!(course.listed()["points"], 60);

    // No place for it: the result is the same, and a warning says so.
    let nowhere = course.path("in/file");
    fs::write(&nowhere, "").unwrap();
    for command in [&["check", "tiny"][..], &["list"], &["hint", "tiny"]] {
        let done = Program::run(course.lab(command).env("XDG_STATE_HOME", &nowhere));
        assert_eq!(done.code(), Some(0), "{done:?}");
        assert!(done.stderr.contains("warning:") && done.stderr.contains("ENOTDIR"), "{done:?}");
    }
}

fn hints() {
    let course = Course::new();
    let first = course.run(["hint", "tiny"]).ok();
    assert!(first.contains("std::fs::write") && first.contains("One more"), "{first}");
    assert!(!first.contains("there is no file"), "{first}");
    let second = course.run(["hint", "tiny", "puts"]).ok();
    assert!(second.contains("Who fails it") && !second.contains("more:"), "{second}");
    assert_eq!(course.run(["hint", "tiny"]).ok(), second);
    let again = course.run(["hint", "tiny", "--from-start"]).ok();
    assert_eq!(again, first);
    let all: Value =
        serde_json::from_str(&course.run(["hint", "tiny", "--all", "--json"]).ok()).unwrap();
    assert_eq!((all["hints"].as_array().unwrap().len(), &all["left"]), (2, &0.into()));
    course.write(&right());
    course.run(["check", "tiny"]);
    assert!(course.run(["hint", "tiny"]).ok().contains("All visible checks"));
}

fn show() {
    let course = Course::new();
    let missing = course.run(["show", "tiny"]);
    assert!(missing.code() == Some(1) && missing.stderr.contains("ENOENT"), "{missing:?}");
    let text = "# Tiny\n\nPut **a text** into `file`.\n\n```sh\ncargo run\n```\n";
    fs::write(course.path("course/labs/tiny/README.md"), text).unwrap();
    let shown = course.run(["show", "tiny"]).ok();
    for part in ["# Tiny", "a text into `file`", "    cargo run", "60  puts", "lab check tiny"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("keeps") && !shown.contains('\u{1b}'), "{shown}");
    let colours = |name: &str, value: &str| {
        let mut command = course.lab(["show", "tiny"]);
        Program::run(command.env("CLICOLOR_FORCE", "1").env(name, value)).ok().contains('\u{1b}')
    };
    assert!(colours("LANG", "C") && !colours("NO_COLOR", "1"));
}

fn reset() {
    let course = Course::new();
    let file = course.path("course/labs/tiny/src/lib.rs");
    let starter = fs::read_to_string(&file).unwrap();
    course.write("mine");
    let none = course.run(["reset", "tiny", "--yes"]);
    assert!(none.code() == Some(1) && none.stderr.contains("no starter here"), "{none:?}");
    let given = course.path("course/labs/tiny/starter/src");
    fs::create_dir_all(&given).unwrap();
    fs::write(given.join("lib.rs"), &starter).unwrap();

    let asks = course.run(["reset", "tiny"]);
    assert!(asks.code() == Some(2) && asks.stderr.contains("--yes"), "{asks:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    // No place to keep it: nothing is replaced.
    let mut command = course.lab(["reset", "tiny", "--yes"]);
    let done = Program::run(command.env("XDG_STATE_HOME", &file));
    assert!(done.code() == Some(1) && done.stderr.contains("ENOTDIR"), "{done:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");

    for mine in ["mine", "mine again"] {
        course.write(mine);
        let done = course.run(["reset", "tiny", "--yes"]).ok();
        assert_eq!(fs::read_to_string(&file).unwrap(), starter);
        let kept = done.trim().rsplit(' ').next().unwrap();
        assert_eq!(fs::read_to_string(format!("{kept}/src/lib.rs")).unwrap(), mine);
    }
    assert_eq!(fs::read_dir(course.path("home/ipc-course/kept")).unwrap().count(), 2);
    assert!(course.run(["reset", "tiny"]).ok().contains("nothing to do"));
}

fn doctor() {
    let course = Course::new();
    let done = course.run(["doctor", "--json"]);
    let findings: Value = serde_json::from_str(&done.stdout).unwrap();
    let findings = findings.as_array().unwrap();
    let state = |topic: &str| {
        let found = findings.iter().find(|one| one["topic"] == topic);
        found.unwrap_or_else(|| panic!("nothing about {topic}"))["state"].as_str().unwrap()
    };
    for topic in [
        "kernel",
        "page size",
        "compiler",
        "linker",
        "System V memory",
        "/dev/shm",
        "mode full",
        "checks run in",
        "user namespaces",
        "Landlock, seccomp",
        "course's folder",
        "lab watch",
    ] {
        state(topic);
    }
    assert_eq!(state("compiler"), "good");
    // It says the same as what checks then do.
    course.write(&right());
    let report: Value =
        serde_json::from_str(&course.run(["check", "tiny", "--json"]).stdout).unwrap();
    let mode = report["mode"].as_str().unwrap();
    assert_eq!(state(&format!("mode {mode}")), "good");
    let bad = findings.iter().any(|one| one["state"] == "bad");
    assert_eq!(done.code(), Some(i32::from(bad)));
    for one in findings.iter().filter(|one| one["state"] != "good") {
        assert!(!one["advice"].as_str().unwrap().is_empty(), "{one}");
    }

    let without = Program::run(course.lab(["doctor"]).env("PATH", "/nowhere").env_remove("CARGO"));
    assert_eq!(without.code(), Some(1), "{without:?}");
    assert!(
        without.stdout.contains("NO  compiler") && without.stdout.contains("rustup"),
        "{without:?}"
    );
    assert!(without.stdout.contains("NO  cargo"), "{without:?}");
    let mut command = course.lab(["doctor"]);
    let tmp = Program::run(command.env("TMPDIR", course.path("nowhere")));
    assert!(tmp.stdout.contains("NO  temporary files"), "{tmp:?}");
}

fn refused() {
    let course = Course::new();
    let says = |done: Finished, code: i32, words: &str| {
        assert_eq!(done.code(), Some(code), "{done:?}");
        assert!(done.stderr.contains(words) && done.stdout.is_empty(), "{words}: {done:?}");
    };
    for command in ["show", "check", "hint", "watch", "reset"] {
        says(course.run([command, "tony"]), 1, "there are: tiny");
        says(course.run([command, "../tiny"]), 1, "there are: tiny");
        says(course.run([command]), 2, "Usage");
    }
    says(course.run(["hint", "tiny", "none"]), 2, "it has: puts, keeps");
    says(course.run(["check", "tiny", "--only", "none"]), 2, "no check \"none\"");
    says(course.run(["watch", "tiny", "--only", "none"]), 2, "no check \"none\"");
    // A reader that has gone.
    for command in [&["list"][..], &["doctor"], &["hint", "tiny"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = course.lab(command).stdout(writer).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(0), "{command:?}");
    }
}
