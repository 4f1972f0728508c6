//! What students do not have.

pub(super) mod damaged;
mod long;
pub(super) mod never_empty;
pub(super) mod reserved;
pub(super) mod strangers;
pub(super) mod torn;
pub(super) mod two_writers;
pub(super) mod writer_dies;
