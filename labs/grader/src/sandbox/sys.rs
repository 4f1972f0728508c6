//! The calls that Rust cannot check.
