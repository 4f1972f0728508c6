//! Wrong usage, and help.

use testkit::Program;

use crate::program::*;

pub fn wrong_usage_is_exit_code_2() {
    for arguments in [
        &["write"][..],
        &["write", "x", "y", "--sync", "--async"],
        &["write", "x", "y", "--sync", "--none"],
        &["write", "x", "y", "--none", "--invalidate"],
        &["size", "many"],
        &["size", "3Q"],
        &["size", "8388608T"],
        &["size", "5000", "--page-size", "5000"],
        &["demo", "x"],
        &["nothing"],
        &[],
    ] {
        let finished = Program::run(&mut page_sync(arguments));
        assert_eq!(finished.code(), Some(2), "{arguments:?}: {finished:?}");
        assert!(finished.stdout.is_empty() && !finished.stderr.is_empty());
    }
}

pub fn help_names_every_command() {
    let help = Program::run(&mut page_sync(["--help"])).ok();
    for command in ["demo", "size", "write", "map", "watch"] {
        assert!(help.contains(&format!("page-sync {command}")), "{command}");
        let own = Program::run(&mut page_sync([command, "--help"])).ok();
        assert!(own.contains("Exit codes:"), "{own}");
    }
    assert!(!help.contains("demo-"), "what only the demo calls is hidden");
}
