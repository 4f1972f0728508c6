//! All that is unsafe.

mod attributes;
pub(crate) mod dax;
#[cfg(feature = "power-cut")]
mod death;
#[cfg(feature = "power-cut")]
mod loop_device;
pub(crate) mod page_cache;
mod sync;

pub(crate) use attributes::{get_xattr, list_xattr, remove_xattr, set_xattr};
#[cfg(feature = "power-cut")]
pub(crate) use death::die_with_parent;
#[cfg(feature = "power-cut")]
pub(crate) use loop_device::{configure_loop_device, free_loop_device};
pub(crate) use sync::{is_mapped, msync, sync_file_range};
