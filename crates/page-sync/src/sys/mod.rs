//! All that is unsafe.

pub(crate) mod dax;
#[cfg(feature = "power-cut")]
mod loop_device;
pub(crate) mod page_cache;

#[cfg(feature = "power-cut")]
pub(crate) use loop_device::{configure_loop_device, free_loop_device, sync_file_range};
