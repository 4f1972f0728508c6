//! All that is unsafe.

mod attributes;
pub(crate) mod dax;
pub(crate) mod page_cache;
mod sync;

pub(crate) use attributes::{get_xattr, list_xattr, remove_xattr, set_xattr};
pub(crate) use sync::{is_mapped, msync, sync_file_range};
