//! Results: what each check found, what it is worth, and what a report keeps.
//!
//! They fail closed. The list of checks is the rubric's and nobody else's: one that has no result is
//! not passed. And a failure of the grader is never a student's: it is flagged, and done again.

mod outcome;
mod report;
mod save;

pub use outcome::Outcome;
pub use report::{Build, CheckResult, Report};
pub use save::save_atomically;
