//! What students have.

pub(super) mod detach;
pub(super) mod keep;
pub(super) mod limits;
pub(super) mod look_only;
pub(super) mod make;
pub(super) mod post;
pub(super) mod read;
pub(super) mod take_down;
