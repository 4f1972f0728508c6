//! `lab grade` with what it cannot use: a word about it, an exit code, and nothing left behind.

use std::fs;

use testkit::{Case, Finished, Program, need};

use crate::course::{self, Course, right};

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn(), needs| Case { name, run, needs };
    vec![
        case("what_makes_no_sense_is_refused", refused, &[course::rustc]),
        case("a_report_of_something_else_is_not_touched", other_report, &[course::rustc]),
        case("a_mode_that_is_not_to_be_had_is_skipped_aloud", no_mode, &[course::rustc]),
        case("a_folder_that_may_not_be_read", unreadable, &[course::rustc, need::ordinary_user]),
        case(
            "a_full_disk_is_told_and_the_rest_stands",
            full_disk,
            &[course::rustc, need::root, need::namespaces],
        ),
    ]
}

fn says(done: &Finished, code: i32, words: &str) {
    assert_eq!(done.code(), Some(code), "{done:?}");
    assert!(done.stderr.contains(words) && done.stdout.is_empty(), "{words}: {done:?}");
}

fn refused() {
    let course = Course::new();
    let grade =
        |dir: &str, lab: &str, out: &str| course.run(["grade", dir, "--lab", lab, "--out", out]);
    says(&grade("../in", "tiny", "../report"), 2, "nothing was handed in");
    course.hand_in("a", &right());
    says(&grade("../in", "none", "../report"), 1, "there are: tiny");
    says(&grade("../in", "../tiny", "../report"), 1, "there are: tiny");
    says(&grade("../nowhere", "tiny", "../report"), 1, "ENOENT");
    says(&grade("../in/a/src/lib.rs", "tiny", "../report"), 1, "ENOTDIR");
    says(&grade("../in", "tiny", "../in"), 2, "REPORT would lie in DIR");
    says(&grade("../in", "tiny", "../in/deep/report"), 2, "REPORT would lie in DIR");
    says(&grade("../in", "tiny", "../in/a/src/lib.rs/x"), 2, "REPORT would lie in DIR");
    says(&course.run(["grade", "../in", "--lab", "tiny"]), 2, "--out");
    says(
        &course.run(["grade", "../in", "--lab", "tiny", "--out", "r", "--seed", "x"]),
        2,
        "no seed",
    );
    says(&course.run(["grade", "../in", "--lab", "tiny", "--out", "r", "--jobs", "0"]), 2, "jobs");
    assert!(!course.path("report").exists() && !course.path("course/r").exists());
    assert_eq!(fs::read_dir(course.path("in")).unwrap().count(), 1);
}

fn other_report() {
    let course = Course::new();
    course.hand_in("a", &right());
    fs::create_dir(course.path("report")).unwrap();
    fs::write(course.path("report/thesis.tex"), "years of work").unwrap();
    says(&Program::run(&mut course.grade()), 1, "something else in it");
    assert_eq!(fs::read_dir(course.path("report")).unwrap().count(), 1);
    fs::remove_file(course.path("report/thesis.tex")).unwrap();

    let about = |what: &str| fs::write(course.path("report/about.json"), what).unwrap();
    about("{\"what\":\"grades of a lab, 1\",\"lab\":\"other\"}");
    says(&Program::run(&mut course.grade()), 1, "the report of other");
    about("{\"what\":\"grades of a lab, 9\",\"lab\":\"tiny\"}");
    says(&Program::run(&mut course.grade()), 1, "not that of a report of this version");
    fs::remove_file(course.path("report/about.json")).unwrap();
    // What a `kill -9` leaves of the very first file.
    fs::write(course.path("report/about.json.123.new"), "{").unwrap();
    let done = Program::run(&mut course.grade());
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert!(!course.path("report/about.json.123.new").exists());

    fs::write(course.path("file"), "").unwrap();
    let done = course.run(["grade", "../in", "--lab", "tiny", "--out", "../file"]);
    says(&done, 1, "ENOTDIR");
}

fn no_mode() {
    let course = Course::new();
    // Root has no landlock, and nobody else has run-uid.
    let mode = if nix::unistd::geteuid().is_root() { "landlock" } else { "run-uid" };
    let done = course.run(["verify", "tiny", "--mode", mode]);
    assert_eq!(done.code(), Some(3), "{done:?}");
    assert!(done.stdout.contains(&format!("SKIPPED mode {mode}: ")), "{done:?}");
    assert!(done.stdout.contains("1 modes skipped: 0 wrong"), "{done:?}");
}

fn unreadable() {
    use std::os::unix::fs::PermissionsExt;
    let course = Course::new();
    course.hand_in("a", &right());
    let mode = |path: &str, mode| {
        fs::set_permissions(course.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("in", 0);
    says(&Program::run(&mut course.grade()), 1, "EACCES");
    mode("in", 0o700);
    fs::create_dir(course.path("report")).unwrap();
    mode("report", 0o500);
    says(&Program::run(&mut course.grade()), 1, "EACCES");
    mode("report", 0o700);
}

fn full_disk() {
    let disk = testkit::small_tmpfs(48 * 1024);
    let course = Course::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        course.hand_in(name, &right());
    }
    let report = disk.path().join("report");
    let grade = || {
        let mut command =
            course.lab(["grade", "../in", "--lab", "tiny", "--mode", "tree", "--out"]);
        Program::run(command.arg(&report))
    };
    let done = grade();
    assert_eq!(done.code(), Some(1), "{done:?}");
    assert!(done.stderr.contains("ENOSPC"), "{done:?}");
    let standing = |name: &str| {
        let path = report.join("submissions").join(name).join("report.json");
        let report: serde_json::Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (report["is_whole"] == true).then(|| report["seed"].clone())
    };
    let seed = standing("a").expect("there was room for one");
    assert_eq!(standing("f"), None);
    let larger = nix::mount::MsFlags::MS_REMOUNT;
    nix::mount::mount(None::<&str>, disk.path(), None::<&str>, larger, Some("size=4m")).unwrap();
    let done = grade();
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert!(done.stdout.contains("6 of 6 graded"), "{done:?}");
    assert_eq!(standing("a"), Some(seed));
}
