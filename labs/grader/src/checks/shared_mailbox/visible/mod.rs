//! What students have.

pub(super) mod either_first;
pub(super) mod limits;
pub(super) mod make;
pub(super) mod only_reads;
pub(super) mod read;
pub(super) mod send;
pub(super) mod survives;
pub(super) mod unmapped;
