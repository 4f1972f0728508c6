//! How much stands around a student's program.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How much stands around a student's program, from most to least. Every result names it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Namespaces of its own: processes, System V objects, network, mounts.
    Full,
    /// A user of the run's own. Needs root.
    RunUid,
    /// A Landlock domain that signals cannot leave. Labs run one at a time.
    Landlock,
    /// A process tree, and hope. Never for marks.
    Tree,
}

impl Mode {
    /// All, in the order in which they are tried.
    pub const ALL: [Mode; 4] = [Mode::Full, Mode::RunUid, Mode::Landlock, Mode::Tree];

    /// Its name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Full => "full",
            Mode::RunUid => "run-uid",
            Mode::Landlock => "landlock",
            Mode::Tree => "tree",
        }
    }

    /// Whether points earned in it count.
    pub const fn is_official(self) -> bool {
        !matches!(self, Mode::Tree)
    }

    /// Whether only one run at a time can tell its own System V objects from others.
    pub const fn is_alone(self) -> bool {
        matches!(self, Mode::Landlock | Mode::Tree)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
