//! All that is unsafe.

mod sync;

pub(crate) use sync::{is_mapped, msync, sync_file_range};
