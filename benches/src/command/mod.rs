//! One file a command, and what it needs.

mod measure;
mod output;
pub mod report;
