//! The checks of the lab *shared mailbox*: one message in a mapped file.

use crate::check::LabChecks;

/// All of them.
pub const CHECKS: LabChecks = LabChecks { lab: "shared-mailbox", checks: &[] };
