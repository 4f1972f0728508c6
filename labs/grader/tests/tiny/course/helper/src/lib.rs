//! A crate that submissions of the tiny lab may use.

/// The length that a text must not exceed.
pub const LONGEST: usize = 4000;
