//! A tiny lab, to try the grader itself on: a text is to be put into a file.
//!
//! This program is tests and cell in one, as `lab` is command and cell in one.

mod checks;
#[expect(dead_code, reason = "its main is the example's")]
#[path = "../../examples/contained.rs"]
mod contained;
mod container;
mod course;
mod kills;
mod modes;
mod stage;
mod strange;

use std::process::ExitCode;

use grader::check::LabChecks;

use checks::{KEEPS, PUTS, WAITS};
use strange::{EXITS, HANGS, PANICS, PLANTS};

const LAB: LabChecks =
    LabChecks { lab: "tiny", checks: &[PUTS, KEEPS, PANICS, HANGS, WAITS, EXITS, PLANTS] };

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next().unwrap_or_default().to_str() {
        Some("cell") => grader::cell::main(&[LAB]),
        Some("grade") => {
            let mode = arguments.next().unwrap_or_default();
            let folder = arguments.next().unwrap_or_default();
            kills::grade(&mode.to_string_lossy(), folder.as_ref())
        }
        Some("modes") => modes::tell(),
        Some("contained") => contained::run(arguments.next().unwrap_or_default(), arguments),
        _ => {
            let cases = stage::cases().into_iter().chain(modes::cases()).chain(kills::cases());
            testkit::main(cases.chain(container::cases()).chain(strange::cases()).collect())
        }
    }
}
