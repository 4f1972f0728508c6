//! From a submission to a program: its files are taken with care, and compiled in the sandbox.
//!
//! Nothing of a submission is used but the source files that the rubric names. The manifest, the
//! lock file, the toolchain and the dependencies are ours: there is no build script to run, no
//! `[patch]`, no cargo configuration. Cargo itself is asked once a lab, for the dependencies; a
//! submission is compiled by rustc directly.
//!
//! `intake` takes the files; `toolchain` finds rustc; `dependencies` has cargo build them, and keeps
//! a read-only copy by the hash of its content. In the cell, `compile` makes the program, `rustc` runs
//! the compiler, and `control` tells a submission that cannot be compiled from a machine on which
//! nothing can.

mod compile;
mod control;
mod dependencies;
mod intake;
mod rustc;
mod toolchain;

pub(crate) use compile::compile;
pub(crate) use control::prove;
pub use dependencies::{Dependencies, prepare};
#[cfg(feature = "class")]
pub(crate) use intake::LARGEST;
pub use intake::{Refused, Submission, take};
pub(crate) use rustc::PATIENCE;
pub use toolchain::{Toolchain, others_can_reach};

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a submission is compiled with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// rustc's folder, with `bin` and `lib`.
    pub toolchain: PathBuf,
    /// The folder of the compiled dependencies.
    pub dependencies: PathBuf,
    /// Crates that a submission may name, and their files in that folder.
    pub externs: Vec<(String, String)>,
    /// The name of the submission's crate.
    pub crate_name: String,
    /// Its edition.
    pub edition: String,
    /// The program that links.
    pub linker: PathBuf,
}
