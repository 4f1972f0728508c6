//! `page-sync`: pages and msync at the terminal. All it does is parse, call and print; the library
//! of the same name does the work.

mod commands;

use std::process::ExitCode;

use ipc_common::cli;

fn main() -> ExitCode {
    cli::run(commands::Arguments::run)
}
