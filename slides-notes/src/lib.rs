//! The notes to the slides are Markdown, below `chapters/`, for reading as they are or as an
//! mdBook (`mdbook serve slides-notes`). This crate makes `cargo test` compile their Rust
//! snippets, and run those that can be run: notes that do not compile teach the wrong thing.

#[cfg(doctest)]
#[doc = include_str!("../chapters/shared-memory.md")]
mod shared_memory {}

#[cfg(doctest)]
#[doc = include_str!("../chapters/mapped-files.md")]
mod mapped_files {}

#[cfg(doctest)]
#[doc = include_str!("../chapters/pages.md")]
mod pages {}

#[cfg(doctest)]
#[doc = include_str!("../chapters/illegal-access.md")]
mod illegal_access {}

#[cfg(doctest)]
#[doc = include_str!("../chapters/truncation.md")]
mod truncation {}

#[cfg(doctest)]
#[doc = include_str!("../chapters/read-write-against-mmap.md")]
mod read_write_against_mmap {}
