//! A compiler that does not work, or not always: that is nobody's zero.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::{Case, Program};

use crate::course::{self, Course, right};

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn()| Case { name, run, needs: &[course::rustc] };
    vec![
        case("somebodys_own_cc_is_not_asked_to_link", own_cc),
        case("a_compiler_that_never_works_is_no_zero", never),
        case("a_compiler_that_fails_once_is_asked_again", once),
        case("a_compiler_that_fails_at_one_submission_only_is_that_ones", at_this_one),
    ]
}

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// As many a machine has it: /usr/local/bin comes first, and the sandbox has none.
fn own_cc() {
    let course = Course::new();
    course.hand_in("a", &right());
    let own = course.path("bin");
    script(&own.join("cc"), "exec /usr/bin/cc \"$@\"");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([own].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let done = Program::run(course.grade().env("PATH", path));
    assert_eq!(done.code(), Some(0), "{done:?}");
    assert_eq!(course.line("a")[1], "100");
}

/// A toolchain whose rustc, as the sandbox starts it, is this script. Cargo gets the real one.
struct Fake {
    course: Course,
    rustc: PathBuf,
}

/// What a compiler does that works: puts something there that can be executed.
const COMPILES: &str = "\
for word; do
    case $word in --out-dir=*) out=${word#*=} ;; --crate-name=*) name=${word#*=} ;; esac
    [ \"$last\" = --crate-name ] && name=$word
    last=$word
done
case $* in
    *--crate-type=bin*) cp /bin/true \"$out/driver\" ;;
    *) : > \"$out/lib$name.rlib\" ;;
esac";

impl Fake {
    fn with(script_of_rustc: &str) -> Fake {
        let course = Course::new();
        let folder = course.path("toolchain");
        script(&folder.join("bin/rustc"), script_of_rustc);
        let said = Command::new("rustc").arg("-vV").output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        fs::create_dir_all(folder.join("lib/rustlib").join(host)).unwrap();
        let rustc = course.path("rustc");
        let asked = format!("[ \"$*\" = \"--print sysroot\" ] && exec echo {}", folder.display());
        script(&rustc, &format!("{asked}\nexec rustc \"$@\""));
        Fake { course, rustc }
    }

    /// `lab check --json`, its report.
    fn check(&self) -> Value {
        self.course.write(&right());
        let mut command = self.course.lab(["check", "tiny", "--json"]);
        let done = Program::run(command.env("RUSTC", &self.rustc));
        assert_eq!(done.code(), Some(1), "{done:?}");
        serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
    }
}

fn never() {
    for broken in ["kill -9 $$", "echo 'could not exec the linker' >&2; exit 1", "exit 101"] {
        let fake = Fake::with(broken);
        let report = fake.check();
        assert_eq!(report["needs_rerun"], true, "{broken}: {report:#}");
        // A class is not even begun with.
        fake.course.hand_in("a", &right());
        let done = Program::run(fake.course.grade().env("RUSTC", &fake.rustc));
        assert_eq!(done.code(), Some(1), "{broken}: {done:?}");
        assert!(done.stderr.contains("does not work here"), "{broken}: {done:?}");
        assert!(!fake.course.path("report/grades.csv").exists());
        let mut doctor = fake.course.lab(["doctor"]);
        let done = Program::run(doctor.env("RUSTC", &fake.rustc));
        assert_eq!(done.code(), Some(1), "{broken}: {done:?}");
        assert!(done.stdout.contains("NO  linker"), "{broken}: {done:?}");
    }
}

fn once() {
    // Out of memory, say. The folder of sources is the same for both calls, and read-only; so the
    // second call is known by the control before it.
    let fake = Fake::with(&format!("[ -e control.rs ] || kill -9 $$\n{COMPILES}"));
    let report = fake.check();
    assert_eq!(report["build"]["succeeded"], true, "{report:#}");
    assert_eq!(report["needs_rerun"], false, "{report:#}");
}

fn at_this_one() {
    for broken in ["kill -9 $$", "exit 101", "echo 'error: here' >&2; exit 1"] {
        let honest = "case $* in *control*) ;; *) exec sh -c \"$BROKEN\" ;; esac";
        let broken_script = format!("BROKEN='{}'\nexport BROKEN\n", broken.replace('\'', "\""));
        let fake = Fake::with(&format!("{broken_script}{honest}\n{COMPILES}"));
        let report = fake.check();
        assert_eq!(report["needs_rerun"], false, "{broken}: {report:#}");
        assert_eq!(report["build"]["succeeded"], false, "{broken}: {report:#}");
        assert_eq!((&report["score"], &report["is_whole"]), (&0.into(), &true.into()));
    }
}
