//! `lab`: the grader at the terminal.

mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main(grader::checks::all())
}
