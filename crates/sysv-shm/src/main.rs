//! The lab binary of "Shared Memory": each slide as a command. It parses, calls, and prints; what
//! it calls is in the library.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    ipc_common::cli::run(|arguments: command::Arguments| arguments.run())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_options_do_not_contradict_each_other() {
        command::Arguments::command().debug_assert();
        assert!(command::Arguments::try_parse_from(["sysv-shm"]).is_err());
    }
}
