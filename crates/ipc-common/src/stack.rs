//! The gap below the stack: unmapped, and yet not free.
//!
//! ```text
//!   lower                                                        higher addresses
//!   ... libraries │            the gap             │◄── stack ──│
//!                 │  nothing is mapped here today  │  grows this way
//! ```
//!
//! The main thread's stack grows into the gap a page at a time, at each fault just below it. A
//! mapping placed there becomes the next part of the stack as soon as the stack pointer reaches
//! it: no fault, no guard page, and return addresses in memory that other processes write. Neither
//! `MAP_FIXED_NOREPLACE` nor shmat(2) objects, since nothing is mapped there.

use std::fs;

use nix::errno::Errno;

use crate::error::{Error, Result};

/// Refuses a range that nothing separates from the main thread's stack above it. Ask before
/// mapping at a chosen address, and again afterwards: another thread may have unmapped what stood
/// in between.
///
/// # Errors
///
/// `EEXIST` if the range lies in the gap below the stack; those of reading /proc/self/maps, without
/// which nobody can tell.
pub fn keep_clear(call: &'static str, address: usize, len: usize) -> Result<()> {
    let about = || format!("{len} bytes at {address:#x}");
    let maps = fs::read("/proc/self/maps").map_err(|error| {
        Error::from_io("open", &error, "/proc/self/maps").with_remedy(
            "it tells where the stack is; without it, let the kernel choose the address",
        )
    })?;
    match first_above(&maps, address.saturating_add(len.saturating_sub(1))) {
        Some(line) if line.ends_with(b"[stack]") => Err(Error::refused(call, Errno::EEXIST, about())
            .with_remedy("the stack of the main thread grows into this gap; choose an address below the libraries, or let the kernel choose")),
        _ => Ok(()),
    }
}

/// The line of the first mapping that begins after `address`. The kernel lists them in order.
fn first_above(maps: &[u8], address: usize) -> Option<&[u8]> {
    maps.split(|byte| *byte == b'\n').find(|line| start(line).is_some_and(|start| start > address))
}

fn start(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| *byte == b'-').next()?;
    usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack() -> usize {
        let maps = fs::read("/proc/self/maps").unwrap();
        let line = maps.split(|byte| *byte == b'\n').find(|line| line.ends_with(b"[stack]"));
        start(line.unwrap()).unwrap()
    }

    // qemu's user mode maps the whole stack at once, so there is no gap. What it emulates, the code
    // above runs on; what a stack is, only a kernel says.
    #[test]
    #[cfg_attr(target_arch = "aarch64", ignore = "under qemu the stack has no gap below it")]
    fn the_gap_below_the_stack_is_refused_and_what_lies_below_the_libraries_is_not() {
        for distance in [4096, 1 << 20, 4 << 20] {
            let error = keep_clear("mmap", stack() - distance, 4096).unwrap_err();
            assert_eq!(error.errno(), Errno::EEXIST, "{error}");
        }
        keep_clear("mmap", 0x10_0000_0000, 4096).unwrap();
        keep_clear("mmap", usize::MAX - 10, 4096).unwrap();
    }

    #[test]
    fn what_counts_is_the_next_mapping_above() {
        let maps = b"1000-2000 r--p 0 0:0 0 /lib\n9000-a000 rw-p 0 0:0 0 [stack]\n";
        assert!(first_above(maps, 0x7fff).unwrap().ends_with(b"[stack]"));
        assert!(first_above(maps, 0xfff).unwrap().ends_with(b"/lib"));
        assert_eq!(first_above(maps, 0x9000), None);
    }
}
