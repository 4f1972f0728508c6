//! Everything unsafe of this crate: mmap(2), munmap(2), mprotect(2), madvise(2), msync(2), and the
//! step from "mapped" to a view. Above this folder there is none.
//!
//! nix makes the calls. memmap2 could map files shared, but asks for the length and the page size
//! once more, which is a third of the instructions of a mapping (`own_cost` in benches/).
//!
//! # Layout
//!
//! `pages` are what is mapped, until unmapped; `memory` is pages with a protection and somebody who
//! watches over them, and the only place that makes views.

mod memory;
mod pages;

pub(crate) use memory::{Memory, watch};
pub(crate) use pages::{Pages, Request};

use std::os::fd::{AsFd, AsRawFd};

/// What to call a file in an error: its path as the kernel knows it.
pub(crate) fn name_of(fd: impl AsFd) -> String {
    let number = fd.as_fd().as_raw_fd();
    match std::fs::read_link(format!("/proc/self/fd/{number}")) {
        Ok(path) => path.display().to_string(),
        Err(_) => format!("descriptor {number}"),
    }
}
