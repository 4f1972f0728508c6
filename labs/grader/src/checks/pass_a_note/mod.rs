//! The checks of the lab *pass a note*: a bulletin board in a System V segment.

mod asking;
mod board;
#[cfg(feature = "hidden")]
mod hidden;
mod memory;
mod visible;

use crate::check::LabChecks;

/// All of them.
pub const CHECKS: LabChecks = LabChecks {
    lab: "pass-a-note",
    checks: &[
        visible::make::CHECK,
        visible::post::CHECK,
        visible::read::CHECK,
        visible::keep::CHECK,
        visible::limits::CHECK,
        visible::look_only::CHECK,
        visible::detach::CHECK,
        visible::take_down::CHECK,
        #[cfg(feature = "hidden")]
        hidden::relative::CHECK,
        #[cfg(feature = "hidden")]
        hidden::strangers::CHECK,
        #[cfg(feature = "hidden")]
        hidden::half_notes::CHECK,
        #[cfg(feature = "hidden")]
        hidden::races::CHECK,
        #[cfg(feature = "hidden")]
        hidden::death::CHECK,
        #[cfg(feature = "hidden")]
        hidden::damaged::CHECK,
        #[cfg(feature = "hidden")]
        hidden::unfinished::CHECK,
    ],
};
