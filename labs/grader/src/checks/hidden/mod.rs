//! What the hidden checks of all labs use.

pub(super) mod holding;
pub(super) mod moments;
