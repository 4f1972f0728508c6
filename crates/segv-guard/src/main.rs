//! The lab binary of "Illegal Memory Access". It parses, calls, and prints; what it calls is in the
//! library, except for the accesses that no library should offer: those are in `commands`.

mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    ipc_common::cli::run(|arguments: commands::Arguments| arguments.run())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_options_do_not_contradict_each_other() {
        commands::Arguments::command().debug_assert();
        assert!(commands::Arguments::try_parse_from(["segv-guard"]).is_err());
    }
}
