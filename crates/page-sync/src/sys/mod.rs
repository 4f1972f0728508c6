//! All that is unsafe.

#[cfg(feature = "power-cut")]
mod loop_device;

#[cfg(feature = "power-cut")]
pub(crate) use loop_device::{configure_loop_device, free_loop_device, sync_file_range};
