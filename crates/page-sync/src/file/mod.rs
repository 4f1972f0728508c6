//! Files of exactly so many pages. Slide "sysconf: Creating page-sized memory mapped segments".
//!
//! The slide seeks to `PageSize`, writes one byte there, and has a file of `PageSize + 1` bytes:
//! two pages, of which the second is mapped by nobody. (Byte number `PageSize` is the first of the
//! next page.) And the disk has not a block for it: where there is no room, the store into the
//! mapping is SIGBUS, long after everything had "succeeded".
//!
//! ```text
//!   lseek(fd, PageSize), write 1 byte     |···· page 0 ····|x                a hole, and 1 byte too many
//!   PageFile::create_new(path, 2)         |#### page 0 ####|#### page 1 ####|  so many pages, all of
//!                                                                              them set aside
//! ```
//!
//! # Layout
//!
//! `pages` is the arithmetic, for any page size; `page_file` the file and its mapping; `open` how
//! one is created, opened, or adopted; `sizes` which sizes of pages this system has.

mod open;
mod page_file;
mod pages;
mod sizes;

pub use page_file::PageFile;
pub use pages::{Pages, Span};
pub use sizes::{Huge, Sizes, Transparent};
