//! The repository that a class gets: the course without solutions, mutants, hostile submissions,
//! hidden checks, and what is done with a class.
//!
//! What is given is listed, not what is kept back: a file that nobody has thought of stays at home.
//! Below `grader/src`, what the compiler does not see without the features `hidden` and `class` is
//! not there either, by the same attributes.
//!
//! `given` names the files; `source` takes the features out of Rust code; `rubric`, `manifest` and
//! `text` do the same for `lab.toml`, `Cargo.toml` and Markdown; `write` puts it together.

mod given;
mod manifest;
mod rubric;
mod source;
mod text;
mod write;

pub use write::{Handout, make};

/// The features that a class does not get.
const FEATURES: [&str; 2] = ["hidden", "class"];
