//! `lab grade`: a class of people who do nothing wrong on purpose.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use testkit::{Case, Program};

use crate::course::{self, Course, forgets, right};

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn()| Case { name, run, needs: &[course::rustc] };
    vec![
        case("a_class_is_graded_whatever_way_it_was_handed_in", every_way),
        case("a_result_stands_until_something_changes", stands),
        case("everybody_gets_the_same_numbers_if_that_is_asked_for", same_seed),
        case("a_reader_that_has_gone_is_no_failure", broken_pipe),
    ]
}

fn every_way() {
    let course = Course::new();
    course.hand_in("folder", &right());
    course.hand_in("forgets", &forgets());
    course.hand_in("broken", "pub fn put( {");
    course.hand_in("whole-course/labs/tiny", &right());
    course.hand_in("in-a-folder/handin", &right());
    course.hand_in_zip("zip.zip", &[("src/lib.rs", &right()), ("target/x", "large")]);
    course.hand_in_zip(
        "from-a-mac.ZIP",
        &[("My Lab/src/lib.rs", &right()), ("__MACOSX/My Lab/src/._lib.rs", "\u{0}")],
    );
    course.hand_in_zip("from-windows.zip", &[("tiny\\src\\lib.rs", &right())]);
    course.hand_in_zip("one-file.zip", &[("lib.rs", &right())]);
    course.hand_in_zip("two-of-them.zip", &[("a/src/lib.rs", ""), ("b/src/lib.rs", "")]);
    // What platforms make of a hand-in: a folder a person, and what was handed in in there.
    fs::create_dir(course.path("in/Anna Berg_4711_assignsubmission_file_")).unwrap();
    course.hand_in_zip(
        "Anna Berg_4711_assignsubmission_file_/my lab.zip",
        &[("My Lab/src/lib.rs", &right())],
    );
    fs::create_dir(course.path("in/Ben_4712_assignsubmission_file_")).unwrap();
    fs::write(course.path("in/Ben_4712_assignsubmission_file_/ben.rs"), right()).unwrap();
    fs::create_dir(course.path("in/Cleo_4713_assignsubmission_file_")).unwrap();
    fs::write(course.path("in/Cleo_4713_assignsubmission_file_/lab.7z"), "").unwrap();
    fs::create_dir(course.path("in/nothing")).unwrap();
    fs::write(course.path("in/source.rs"), right()).unwrap();
    fs::write(course.path("in/folder.rs"), forgets()).unwrap();
    fs::write(course.path("in/README.txt"), "who has handed in").unwrap();
    fs::write(course.path("in/late.tar.gz"), "").unwrap();
    fs::write(course.path("in/.DS_Store"), "").unwrap();

    let done = Program::run(&mut course.grade());
    // Two of them cannot be read.
    assert_eq!(done.code(), Some(3), "{done:?}");
    assert!(done.stdout.contains("15 of 17 graded"), "{done:?}");
    assert!(done.stdout.contains("not taken, as they cannot be read: late.tar.gz"), "{done:?}");
    assert_eq!(course.line("late.tar.gz"), ["late.tar.gz", "", "100", "not taken"]);
    let cleo = "Cleo_4713_assignsubmission_file_";
    assert_eq!(course.line(cleo), [cleo, "", "100", "needs rerun"]);
    assert!(done.stderr.contains("README.txt") && done.stderr.contains("make a zip"), "{done:?}");
    assert!(done.stderr.contains("folder was handed in more than once"), "{done:?}");
    assert!(!done.stderr.contains("DS_Store") && !done.stdout.contains('\u{1b}'), "{done:?}");
    for (name, score) in [
        ("folder", "100"),
        ("forgets", "60"),
        ("broken", "0"),
        ("whole-course", "100"),
        ("in-a-folder", "100"),
        ("zip", "100"),
        ("from-a-mac", "100"),
        ("from-windows", "100"),
        ("one-file", "100"),
        ("two-of-them", "0"),
        ("source", "100"),
        ("Anna Berg_4711_assignsubmission_file_", "100"),
        ("Ben_4712_assignsubmission_file_", "100"),
        ("nothing", "0"),
    ] {
        assert_eq!(course.line(name), [name, score, "100", "graded"]);
    }
    forms(&course);
    again(&course);
}

/// One of them again, by the command that the README gives, whatever way it was handed in.
fn again(course: &Course) {
    for name in ["folder", "zip.zip", "whole-course", "from-windows.zip", "source.rs"] {
        let path = course.path("in").join(name);
        let check = ["check", "tiny", "--all", "--seed", "abc", "--json", "--submission"];
        let mut command = course.lab(check);
        let done = Program::run(command.arg(&path));
        assert_eq!(done.code(), Some(0), "{name}: {done:?}");
        let report: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!((&report["score"], &report["submission"]), (&100.into(), &name.into()));
    }
    let done = course.run(["check", "tiny", "--submission", "../in/late.tar.gz"]);
    assert!(done.code() == Some(1) && done.stdout.contains("make a zip"), "{done:?}");
}

/// What is written about each of them.
fn forms(course: &Course) {
    let all = course.json("grades.json");
    assert_eq!(all["submissions"].as_array().unwrap().len(), 17);
    assert_eq!(all["ignored"].as_array().unwrap().len(), 1);
    let forgets = all["submissions"].as_array().unwrap().iter();
    let forgets = forgets.into_iter().find(|one| one["name"] == "forgets").unwrap();
    assert_eq!(forgets["report"]["score"], 60);
    for field in ["mode", "seed", "grader", "compiler", "checks"] {
        assert!(!forgets["report"][field].is_null(), "{field}: {forgets:#}");
    }
    // The instructor sees what a hidden check saw.
    assert_eq!(forgets["report"]["checks"][1]["expected"], "the second text alone");

    let results = course.json("submissions/forgets/results.json");
    assert_eq!(results["score"], 60);
    assert_eq!(results["tests"][0]["status"], "passed");
    let hidden = &results["tests"][1];
    assert_eq!(
        (&hidden["status"], &hidden["visibility"]),
        (&"failed".into(), &"after_published".into())
    );
    assert_eq!((&hidden["max_score"], &hidden["number"]), (&40.into(), &"2".into()));
    let junit = fs::read_to_string(course.path("report/submissions/forgets/junit.xml")).unwrap();
    assert!(junit.contains("tests=\"2\" failures=\"1\" errors=\"0\""), "{junit}");
    // The student does not.
    for text in [results.to_string(), junit] {
        assert!(!text.contains("the second text alone"), "{text}");
    }
    let broken = course.json("submissions/broken/results.json");
    let (output, test) = (broken["output"].as_str().unwrap(), &broken["tests"][0]["output"]);
    assert!(output.contains("src/lib.rs:1"), "{broken}");
    assert_eq!(test, "Not run: it does not compile.");
    // A test that was not run is no test that was skipped, which would be green.
    let junit = fs::read_to_string(course.path("report/submissions/broken/junit.xml")).unwrap();
    assert!(junit.contains("tests=\"2\" failures=\"2\""), "{junit}");
}

fn stands() {
    let course = Course::new();
    course.hand_in("a", &right());
    course.hand_in("b", &right());
    Program::run(&mut course.grade());
    let seeds = || [course.seed("a"), course.seed("b")];
    let first = seeds();

    let again = Program::run(&mut course.grade());
    assert!(again.code() == Some(0) && again.stdout.contains("2 of them before"), "{again:?}");
    assert_eq!(seeds(), first);

    course.hand_in("b", &forgets());
    course.hand_in("c", &right());
    Program::run(&mut course.grade());
    let second = seeds();
    assert_eq!(second[0], first[0]);
    assert_ne!(second[1], first[1]);
    assert_eq!(course.line("b")[1], "60");
    assert_eq!(course.line("c")[1], "100");

    // Another rubric: other points.
    let rubric = course.path("course/labs/tiny/lab.toml");
    let text = fs::read_to_string(&rubric).unwrap();
    let text = text.replace("points = 60", "points = 30").replace("points = 40", "points = 70");
    fs::write(rubric, text).unwrap();
    Program::run(&mut course.grade());
    assert_eq!(course.line("b")[1], "30");
    assert_ne!(seeds()[0], first[0]);

    // Half of a result, as a crash leaves it, and one that the grader could not find out.
    for (field, value) in [("is_whole", false), ("needs_rerun", true)] {
        let path = course.path("report/submissions/a/report.json");
        let mut report = course.json("submissions/a/report.json");
        report[field] = value.into();
        fs::write(path, report.to_string()).unwrap();
        let before = seeds();
        let done = Program::run(&mut course.grade());
        assert!(done.stdout.contains("2 of them before"), "{field}: {done:?}");
        assert_ne!(seeds()[0], before[0], "{field}");
        assert_eq!(seeds()[1], before[1], "{field}");
    }

    let third = seeds();
    Program::run(course.grade().arg("--again"));
    assert_ne!(seeds()[0], third[0]);

    // Another grader of the same version: a check was mended, say.
    let other = course.path("lab");
    let mut program = fs::read("/proc/self/exe").unwrap();
    program.push(0);
    fs::write(&other, program).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
    let fourth = seeds();
    let mut command = std::process::Command::new(&other);
    let same = course.grade();
    command.args(same.get_args()).current_dir(same.get_current_dir().unwrap());
    let done = Program::run(command.env_remove("TESTKIT_CASE").env_remove("CARGO_TARGET_DIR"));
    assert!(done.code() == Some(0) && !done.stdout.contains("before"), "{done:?}");
    assert_ne!(seeds()[0], fourth[0]);
}

fn same_seed() {
    let course = Course::new();
    course.hand_in("a", &right());
    course.hand_in("b", &right());
    let seed = "00000000000000000000000000000abc";
    // On a command line everybody can read it who sees this process.
    let done = Program::run(course.grade().args(["--seed", seed, "--mode", "tree"]));
    assert!(done.code() == Some(2) && done.stderr.contains("--seed @FILE"), "{done:?}");
    assert!(!course.path("report").exists());
    fs::write(course.path("seed"), format!("{seed}\n")).unwrap();
    let done = Program::run(course.grade().args(["--seed", "@../seed", "--json"]));
    let summary: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(summary["graded"], 2);
    assert_eq!([course.seed("a"), course.seed("b")], [seed, seed]);
    // Fresh ones are asked for now.
    let done = Program::run(&mut course.grade());
    assert!(!done.stdout.contains("before"), "{done:?}");
    assert_ne!(course.seed("a"), course.seed("b"));
}

fn broken_pipe() {
    let course = Course::new();
    course.hand_in("a", &right());
    let mut command = course.grade();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = command.stdout(writer).stderr(std::process::Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(course.line("a")[1], "100");
}
