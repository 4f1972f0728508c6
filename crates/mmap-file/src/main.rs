//! Memory-mapped files: map, protect, grow, share; a writer and a reader that meet in one.

fn main() {}
