//! The checks of the lab *shared mailbox*: one message in a mapped file.

#[cfg(feature = "hidden")]
mod hidden;
mod mailbox;
mod visible;

use crate::check::LabChecks;

/// All of them.
pub const CHECKS: LabChecks = LabChecks {
    lab: "shared-mailbox",
    checks: &[
        visible::make::CHECK,
        visible::send::CHECK,
        visible::read::CHECK,
        visible::either_first::CHECK,
        visible::survives::CHECK,
        visible::limits::CHECK,
        visible::only_reads::CHECK,
        visible::unmapped::CHECK,
        #[cfg(feature = "hidden")]
        hidden::strangers::CHECK,
        #[cfg(feature = "hidden")]
        hidden::never_empty::CHECK,
        #[cfg(feature = "hidden")]
        hidden::torn::CHECK,
        #[cfg(feature = "hidden")]
        hidden::two_writers::CHECK,
        #[cfg(feature = "hidden")]
        hidden::writer_dies::CHECK,
        #[cfg(feature = "hidden")]
        hidden::damaged::CHECK,
        #[cfg(feature = "hidden")]
        hidden::reserved::CHECK,
    ],
};
