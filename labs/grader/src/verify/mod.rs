//! The grader, put to the test itself: `lab verify`.
//!
//! For a lab, in a mode:
//!
//! - the starter compiles, warns of nothing, and earns 0;
//! - each solution earns full marks, many times in a row;
//! - each mutant fails the checks that its header names, and passes those that do not depend on
//!   them;
//! - every check is failed by some mutant;
//! - each hostile submission earns 0, leaves nothing, and disturbs no neighbour: a solution is graded
//!   all the time beside them.
//!
//! `subject` finds what there is to try; `judge` says what is wrong with a result; `matrix` shows
//! which mutant fails which check; `run` does it all, several at once.

mod judge;
mod leftovers;
mod matrix;
mod run;
mod subject;

pub use judge::{Judged, judge};
pub use leftovers::Leftovers;
pub use matrix::Matrix;
pub use run::{Found, Step, Verification, verify};
pub use subject::{Kind, Skipped, Subject, extra, hostile, of_lab};
