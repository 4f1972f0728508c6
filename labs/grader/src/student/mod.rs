//! What students have beyond the checks: how far they are, hints one after the other, and the starter
//! again.
//!
//! `progress` is kept in the user's state folder, by the ids of labs and checks; `hints` are the
//! stages of help for a check; `starter` finds what a lab began with.

mod hints;
mod progress;
mod starter;

pub use hints::hints;
pub use progress::{LabProgress, Progress};
pub use starter::{STARTER, keep, starter};
