//! A seed, as it is given to a command.

use std::fs;
use std::str::FromStr;

use grader::random::Seed;

/// A seed: itself, or `@FILE`, the file that holds it. What is on a command line every process of the
/// machine can read, if it sees ours at all (proc_pid_cmdline(5)); and whoever knows the seed knows all
/// the random numbers of a run.
#[derive(Clone, Copy)]
pub struct Given {
    /// The seed.
    pub seed: Seed,
    /// Whether it stands on the command line.
    pub is_shown: bool,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Given, String> {
        let Some(file) = text.strip_prefix('@') else {
            return Ok(Given { seed: text.parse()?, is_shown: true });
        };
        let held = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        Ok(Given { seed: held.trim().parse()?, is_shown: false })
    }
}
