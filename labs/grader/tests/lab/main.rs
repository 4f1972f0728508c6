//! The commands of `lab`, from outside, on the tiny lab's course.
//!
//! This program is tests and `lab` in one: started under the name `lab`, it is `lab` with the tiny
//! lab's checks.

#[path = "../tiny/checks.rs"]
mod checks;
#[path = "../../src/commands/mod.rs"]
mod commands;

mod bad_input;
mod class;
mod compiler;
mod course;
mod handout;
mod interrupted;
mod leaks;
mod strangers;
mod student;
mod watch;

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

use grader::check::LabChecks;

const TINY: LabChecks =
    LabChecks { lab: "tiny", checks: &[checks::PUTS, checks::KEEPS, checks::WAITS] };

fn main() -> ExitCode {
    let called = std::env::args_os().next().unwrap_or_default();
    let is_cell = std::env::args().nth(1).as_deref() == Some("cell");
    if is_cell || Path::new(&called).file_name() == Some(OsStr::new("lab")) {
        return commands::main(&[TINY]);
    }
    let cases = [
        class::cases(),
        compiler::cases(),
        strangers::cases(),
        bad_input::cases(),
        interrupted::cases(),
        handout::cases(),
        student::cases(),
        watch::cases(),
    ];
    let ended = testkit::main(cases.into_iter().flatten().collect());
    handout::clean_up();
    ended
}
