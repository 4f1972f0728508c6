//! All that is unsafe.
