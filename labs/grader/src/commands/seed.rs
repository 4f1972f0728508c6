//! A seed, as it is given to a command.

use std::fs;

use grader::random::Seed;

/// A seed: itself, or `@FILE`, the file that holds it. What is on a command line every process of the
/// machine can read, if it sees ours at all (proc_pid_cmdline(5)); and whoever knows the seed knows all
/// the random numbers of a run.
pub fn given(text: &str) -> Result<Seed, String> {
    match text.strip_prefix('@') {
        None => text.parse(),
        Some(file) => {
            let held = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
            held.trim().parse()
        }
    }
}
