//! Does not compile.

/// Has no body, and an escape sequence: "[2J".
pub fn put(
const _: &str = "[2J";
