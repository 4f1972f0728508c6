//! Machines whose registers this crate does not know: no copy lands, no access is told.

use libc::mcontext_t;

use crate::fault::Access;

pub(super) fn settle() {}

/// In no routine of ours.
pub(super) fn program_counter(_: &mcontext_t) -> usize {
    0
}

pub(super) fn go_on_at(_: &mut mcontext_t, _: usize) {}

pub(super) fn landing_record(_: &mcontext_t) -> usize {
    0
}

pub(super) fn access(_: &mcontext_t) -> Access {
    Access::Unknown
}
