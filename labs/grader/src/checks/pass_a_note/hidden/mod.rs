//! What students do not have.

pub(super) mod damaged;
pub(super) mod death;
pub(super) mod half_notes;
mod long;
pub(super) mod races;
pub(super) mod relative;
pub(super) mod strangers;
pub(super) mod unfinished;
