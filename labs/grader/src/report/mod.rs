//! Results in words, for people at a terminal.

mod terminal;

pub use terminal::{explain, line, summary};
