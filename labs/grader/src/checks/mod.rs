//! The checks of the labs: trusted code, which runs in the cell and never in a student's process.
//!
//! A folder a lab, a file a check. `visible/` is what students have, too; `hidden/` is left out of
//! the handout together with the feature of that name.
//!
//! No check is content with a refusal, a silence or an exit status alone: each of them sees
//! something that only a program could have done that does what the lab asks for.

#[cfg(feature = "hidden")]
mod hidden;
pub mod pass_a_note;
mod payload;
pub mod shared_mailbox;

use crate::check::LabChecks;

/// The checks of every lab that this grader knows.
pub fn all() -> &'static [LabChecks] {
    &[pass_a_note::CHECKS, shared_mailbox::CHECKS]
}
