//! Under a container's rules: no namespaces, and a root who is hardly one.

use std::process::Command;

use nix::sys::resource::{Resource, setrlimit};
use testkit::{Case, Program};

use crate::course;

pub fn cases() -> Vec<Case> {
    let case = |name, run: fn(), needs| Case { name, run, needs };
    vec![
        case("a_container_has_no_namespaces", no_namespaces, &[course::rustc]),
        case(
            "verify_as_root_of_a_container",
            || same_case("verify_in_mode_run_uid"),
            &[course::rustc, testkit::need::root],
        ),
        case(
            "verify_as_root_without_landlock",
            without_landlock,
            &[course::rustc, testkit::need::root],
        ),
        case(
            "kills_as_root_of_a_container",
            || same_case("kills_in_mode_run_uid"),
            &[course::rustc, testkit::need::root],
        ),
        case(
            "verify_as_a_user_of_a_container",
            || same_case("verify_in_mode_landlock"),
            &[course::rustc, testkit::need::ordinary_user],
        ),
    ]
}

/// What this program does as `tiny contained …`: this program again, in a container of sorts.
fn contained(arguments: &[&str]) -> Command {
    let mut command = Command::new(course::this_program());
    command.arg("contained").arg(course::this_program()).args(arguments);
    command.env_remove("TESTKIT_CASE");
    command
}

fn no_namespaces() {
    let found = Program::run(&mut contained(&["modes"])).ok();
    let expected = if nix::unistd::geteuid().is_root() { "run-uid" } else { "landlock" };
    assert!(found.starts_with(&format!("best {expected}\nfull: ")), "{found}");
}

/// Another case of this program, in there. It must not be skipped.
fn same_case(name: &str) {
    let ran = Program::run(&mut contained(&["--exact", name]));
    assert!(ran.stdout.contains("1 passed; 0 failed; 0 ignored"), "{ran:#?}");
}

/// What a program leaves where everybody may write is then found by its owner.
fn without_landlock() {
    // As it is nearly everywhere.
    setrlimit(Resource::RLIMIT_NOFILE, 1024, 1024).unwrap();
    let mut command = contained(&["--exact", "verify_in_mode_run_uid"]);
    let ran = Program::run(command.env("CONTAINED_WITHOUT_LANDLOCK", "1"));
    assert!(ran.stdout.contains("1 passed; 0 failed; 0 ignored"), "{ran:#?}");
    let found = Program::run(contained(&["modes"]).env("CONTAINED_WITHOUT_LANDLOCK", "1")).ok();
    assert!(found.starts_with("best run-uid"), "{found}");
}
