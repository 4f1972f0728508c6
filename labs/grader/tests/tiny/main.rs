//! A tiny lab, to try the grader itself on: a text is to be put into a file.
//!
//! This program is tests and cell in one, as `lab` is command and cell in one.

mod checks;
mod course;
mod kills;
mod modes;
mod stage;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("cell") {
        return grader::cell::main(&[checks::LAB]);
    }
    if std::env::args().nth(1).as_deref() == Some("grade") {
        kills::grade(&std::env::args().nth(2).unwrap_or_default());
        return ExitCode::SUCCESS;
    }
    testkit::main(stage::cases().into_iter().chain(modes::cases()).chain(kills::cases()).collect())
}
