//! `lab handout`, of the real course: nothing hidden is in it, and it builds and works.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::fcntl::{Flock, FlockArg};
use testkit::{Case, Finished, Program};

use crate::course::{Course, right};
use crate::leaks::{course, files, leaks, secrets};

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn(), needs| Case { name, run, needs };
    vec![
        case("nothing_hidden_is_in_the_handout", nothing_hidden, &[cargo, sources]),
        case("a_handout_is_whole_or_not_there", whole_or_not_there, &[cargo, sources]),
        case(
            "a_handout_for_which_there_is_no_room_is_not_there",
            full_disk,
            &[cargo, sources, testkit::need::namespaces],
        ),
        case(
            "a_lab_that_is_solved_in_its_place_is_not_handed_out",
            solved,
            &[crate::course::rustc],
        ),
        case("the_handout_builds_and_its_commands_work", works, &[cargo, sources, built]),
    ]
}

/// The course's crates, without a network.
fn cargo() -> Result<(), String> {
    let found = Command::new("cargo")
        .args(["tree", "--offline", "--locked", "--package", "grader"])
        .current_dir(course())
        .output();
    match found {
        Ok(found) if found.status.success() => Ok(()),
        _ => Err("this user has no cargo, or has not fetched the course's crates".into()),
    }
}

fn sources() -> Result<(), String> {
    let solutions = course().join("labs/pass-a-note/solution");
    fs::read_dir(solutions).map(drop).map_err(|error| format!("the course's sources: {error}"))
}

fn make(out: &Path) -> Finished {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("lab").args(["handout", "--out"]).arg(out).env_remove("TESTKIT_CASE");
    Program::run(command.current_dir(course()))
}

fn nothing_hidden() {
    let folder = testkit::folder();
    let out = folder.file("class");
    let done = make(&out);
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert!(done.stderr.is_empty(), "{done:?}");

    let secrets = secrets();
    // It would be easy to find nothing if there was nothing to look for.
    let of = |part: &str| {
        let files = secrets.iter().filter(|(path, _)| path.iter().any(|p| p == part));
        files.filter(|(_, lines)| !lines.is_empty()).count()
    };
    assert!(
        of("solution") >= 4 && of("mutants") >= 20 && of("hidden") >= 10 && of("fixtures") >= 20
    );
    let all: usize = secrets.values().map(BTreeSet::len).sum();
    assert!(all > 1000, "{all} lines");
    let found = leaks(&out, &secrets);
    assert!(found.is_empty(), "{} leaks: {:#?}", found.len(), &found[..found.len().min(20)]);

    // Items that only the feature shows lie in files that are given.
    for path in files(&course()).iter().filter(|path| path.starts_with("labs/grader/src")) {
        let text = fs::read_to_string(course().join(path)).unwrap();
        let given = fs::read_to_string(out.join(path)).unwrap_or_default();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.trim().starts_with("#[cfg(feature = ") {
                let item = lines.next().unwrap_or_default();
                assert!(!given.contains(item), "{}: {item}", path.display());
            }
        }
        assert!(!given.contains("cfg(feature"), "{}", path.display());
    }

    // The same search finds what was put there.
    for secret in ["labs/pass-a-note/solution/flock.rs", "labs/shared-mailbox/mutants/truncates.rs"]
    {
        let text = fs::read_to_string(course().join(secret)).unwrap();
        fs::write(out.join("crates/notes.txt"), text).unwrap();
        assert!(!leaks(&out, &secrets).is_empty(), "{secret}");
    }
    let rubric = fs::read_to_string(course().join("labs/pass-a-note/lab.toml")).unwrap();
    fs::write(out.join("crates/notes.txt"), rubric).unwrap();
    assert!(!leaks(&out, &secrets).is_empty());
}

fn whole_or_not_there() {
    let folder = testkit::folder();
    let says = |done: Finished, words: &str| {
        assert_eq!(done.code(), Some(1), "{done:?}");
        assert!(done.stderr.contains(words) && done.stdout.is_empty(), "{words}: {done:?}");
    };
    let full = folder.file("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("thesis.tex"), "").unwrap();
    says(make(&full), "something in it");
    assert_eq!(fs::read_dir(&full).unwrap().count(), 1);
    says(make(&full.join("thesis.tex")), "ENOTDIR");
    says(make(&full.join("thesis.tex/x")), "ENOTDIR");
    says(make(&course().join("labs/class")), "part of the next handout");
    says(make(Path::new("/")), "something in it");
    assert!(!course().join("labs/class").exists());
    let empty = folder.file("empty");
    fs::create_dir(&empty).unwrap();
    let done = make(&empty);
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

/// Who teaches has tried the lab in its place.
fn solved() {
    let course = Course::new();
    course.write(&right());
    let done = course.run(["handout", "--out", "../class"]);
    assert_eq!(done.code(), Some(1), "{done:?}");
    assert!(done.stderr.contains("todo!"), "{done:?}");
    assert!(!course.path("class").exists());
}

fn full_disk() {
    let disk = testkit::small_tmpfs(256 * 1024);
    let done = make(&disk.path().join("class"));
    assert_eq!(done.code(), Some(1), "{done:?}");
    assert!(done.stderr.contains("ENOSPC"), "{done:?}");
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0);
}

/// Where the handout is built: the same place each time, so that its crates are built once.
fn workshop() -> PathBuf {
    kept().unwrap_or_else(std::env::temp_dir).join("ipc-course-handout")
}

/// Cargo's folder for this, if this user may write there.
fn kept() -> Option<PathBuf> {
    let near = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let may_write = nix::unistd::access(near, nix::unistd::AccessFlags::W_OK).is_ok();
    may_write.then(|| near.to_owned())
}

/// The workshop is this run's until it ends; another run in the same clone waits for it.
static OURS: OnceLock<Flock<File>> = OnceLock::new();

/// Builds it, and runs its tests. Not in the case: a compiler on a busy machine takes longer than any
/// case may. That it failed is for the case to tell.
fn built() -> Result<(), String> {
    // Once a run, and not in the case itself.
    if std::env::var_os("TESTKIT_CASE").is_none() {
        OURS.get_or_init(|| {
            fs::create_dir_all(workshop()).unwrap();
            let folder = File::open(workshop()).unwrap();
            let lock = Flock::lock(folder, FlockArg::LockExclusive).expect("the workshop");
            build();
            lock
        });
    }
    Ok(())
}

fn build() {
    let workshop = workshop();
    let _ = fs::remove_dir_all(workshop.join("class"));
    let made = make(&workshop.join("class"));
    let mut log = format!("{made:?}\n");
    let mut steps = vec![
        &["build", "-p", "grader", "-p", "pass-a-note", "-p", "shared-mailbox"][..],
        &["test", "-p", "grader", "-p", "pass-a-note", "-p", "shared-mailbox"],
    ];
    if testkit::soak(0, 1) > 0 {
        steps.push(&["test", "--workspace", "--no-run"]);
    }
    for arguments in steps {
        let said = Command::new("cargo")
            .args(arguments)
            .args(["--offline", "--locked", "--color=never"])
            .current_dir(workshop.join("class"))
            .env("CARGO_TARGET_DIR", workshop.join("target"))
            .output()
            .unwrap();
        log.push_str(&String::from_utf8_lossy(&said.stdout));
        log.push_str(&String::from_utf8_lossy(&said.stderr));
        log.push_str(&format!("{}: {}\n", arguments.join(" "), said.status));
    }
    fs::write(workshop.join("log"), log).unwrap();
}

/// At the end of the run: what lies among everybody's temporary files goes.
pub fn clean_up() {
    if OURS.get().is_some() && kept().is_none() {
        let _ = fs::remove_dir_all(workshop());
    }
}

fn works() {
    let workshop = workshop();
    let log = fs::read_to_string(workshop.join("log")).unwrap();
    let ends = log.lines().filter(|line| line.contains(": exit status: "));
    let ends: Vec<&str> = ends.collect();
    assert!(ends.len() >= 2 && ends.iter().all(|end| end.ends_with(": 0")), "{log}");
    assert!(!log.contains("warning:"), "{log}");

    let home = testkit::folder();
    let lab = |arguments: &[&str]| {
        Program::run(
            Command::new(workshop.join("target/debug/lab"))
                .args(arguments)
                .current_dir(workshop.join("class"))
                .env("CARGO_TARGET_DIR", workshop.join("target"))
                .env("XDG_STATE_HOME", home.path()),
        )
    };
    for command in ["grade", "verify", "handout"] {
        assert_eq!(lab(&[command, "x"]).code(), Some(2), "{command}");
    }
    let listed = lab(&["list"]).ok();
    assert!(listed.contains("42 of them in hidden") && listed.contains("not begun"), "{listed}");
    assert!(lab(&["show", "shared-mailbox"]).ok().contains("# Lab: shared mailbox"));
    assert!(lab(&["hint", "pass-a-note", "make"]).ok().contains("hint 1"));
    assert_eq!(lab(&["doctor"]).code(), Some(0));
    assert!(lab(&["reset", "pass-a-note"]).ok().contains("nothing to do"));
    let file = workshop.join("class/labs/pass-a-note/src/lib.rs");
    let given = fs::read_to_string(&file).unwrap();
    fs::write(&file, "mine").unwrap();
    assert_eq!(lab(&["reset", "pass-a-note", "--yes"]).code(), Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), given);
    let starter = lab(&["check", "pass-a-note"]);
    assert_eq!(starter.code(), Some(1), "{starter:?}");
    assert!(starter.stdout.contains("\n0 of 100 points"), "{starter:?}");
    let solution = course().join("labs/pass-a-note/solution/flock.rs");
    let right = lab(&["check", "pass-a-note", "--submission", solution.to_str().unwrap()]);
    assert_eq!(right.code(), Some(0), "{right:?}");
    assert!(right.stdout.contains("\n58 of 100 points"), "{right:?}");
}
