//! What a cell is to do: one line of JSON on its standard input.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::build::Tools;
use crate::evidence::census::Object;
use crate::random::Seed;
use crate::sandbox::Mode;

/// What a cell is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// What to put around programs.
    pub mode: Mode,
    /// The number of the run's own user, where there is one.
    pub run_user: Option<u32>,
    /// An empty folder of ours for the run. Mode full needs none.
    pub folder: Option<PathBuf>,
    /// The file to lock while programs run, in modes where only one run may.
    pub lock: Option<PathBuf>,
    /// The work.
    pub task: Task,
}

/// The work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Task {
    /// Start a harmless program: to find out whether the mode works here.
    Probe,
    /// Compile a program that is right: to find out whether anything can be compiled here.
    Prove(Box<Tools>),
    /// End and remove what is left of a run whose warden was killed.
    Sweep {
        /// The System V objects that there were before that run.
        before: Vec<Object>,
    },
    /// Build a submission and check it.
    Grade(Box<Grading>),
}

/// A submission to build and to check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grading {
    /// The lab's id.
    pub lab: String,
    /// What to build with.
    pub tools: Tools,
    /// The submission's files, by their paths in it; the first one is the crate's root.
    pub sources: Vec<(String, String)>,
    /// The lab's `driver.rs`.
    pub driver: String,
    /// Where the random numbers come from. Each round has its own.
    pub seed: Seed,
    /// The checks to run, in order.
    pub checks: Vec<CheckOrder>,
    /// How often to run them all.
    pub rounds: u32,
}

/// A check to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOrder {
    /// Its id.
    pub id: String,
    /// When it is given up.
    pub seconds: u32,
    /// The checks without which it cannot pass.
    pub depends: Vec<String>,
}
