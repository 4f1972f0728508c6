//! All that is unsafe.

pub(crate) mod dax;
pub(crate) mod page_cache;
