//! Which addresses the processor has: the halves of the address space, and the hole between them.
//!
//! ```text
//!   x86-64, 48 bits                                    (57 bits with five levels of page tables)
//!   0                   2^47                        2^64 - 2^47                2^64
//!   |   the program's   |   no page can be here     |   the kernel's           |
//! ```

use std::fs;
use std::sync::OnceLock;

/// Whose an address is, before anything is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Program,
    Kernel,
    /// Not canonical: the upper bits are no copy of the highest one that is translated.
    Nobody,
}

pub(super) fn half(address: usize) -> Half {
    half_with(address, translated_bits())
}

fn half_with(address: usize, bits: u32) -> Half {
    // The upper bits, the highest translated one among them, have to be alike.
    let upper = (address as isize) >> (bits - 1);
    match upper {
        0 => Half::Program,
        -1 => Half::Kernel,
        _ => Half::Nobody,
    }
}

/// How many bits of an address the page tables translate, the sign among them.
fn translated_bits() -> u32 {
    match () {
        // Whichever of 48 and 52 it is: bit 55 decides between the halves, and the rest faults
        // like any address where nothing is mapped.
        () if cfg!(target_arch = "aarch64") => 56,
        () if cfg!(target_arch = "x86_64") && has_flag("la57") => 57,
        () if cfg!(target_arch = "x86_64") => 48,
        () => usize::BITS,
    }
}

/// The address without the tag that aarch64 lets a program keep in the top byte of a pointer.
pub(super) fn untagged(address: usize) -> usize {
    if cfg!(target_arch = "aarch64") && address >> 55 & 1 == 0 {
        address & ((1 << 56) - 1)
    } else {
        address
    }
}

/// Whether memory that may only be executed cannot be read: protection keys do it on x86-64.
/// `None` if it depends on more than this crate looks at.
pub(super) fn execute_only_is_kept() -> Option<bool> {
    cfg!(target_arch = "x86_64").then(|| has_flag("ospke"))
}

/// What the processor can do and the kernel uses (proc_cpuinfo(5)).
fn has_flag(flag: &str) -> bool {
    static FLAGS: OnceLock<String> = OnceLock::new();
    let flags = FLAGS.get_or_init(|| {
        let all = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let line = all.lines().find(|line| line.starts_with("flags"));
        line.unwrap_or_default().to_owned()
    });
    flags.split_whitespace().any(|word| word == flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hole_lies_between_the_halves() {
        for (address, bits, expected) in [
            (0, 48, Half::Program),
            (0x7fff_ffff_ffff, 48, Half::Program),
            (0x8000_0000_0000, 48, Half::Nobody),
            (0x8000_0000_0000, 57, Half::Program),
            (1 << 62, 57, Half::Nobody),
            (0xffff_7fff_ffff_ffff, 48, Half::Nobody),
            (0xffff_8000_0000_0000, 48, Half::Kernel),
            (usize::MAX, 57, Half::Kernel),
        ] {
            assert_eq!(half_with(address, bits), expected, "{address:#x}, {bits} bits");
        }
    }
}
