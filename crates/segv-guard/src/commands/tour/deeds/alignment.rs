//! Addresses that are no multiple of what the instruction needs. Most instructions do not mind:
//! these do.

use super::Deed;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use super::{Act, Arranged, deed};
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use crate::commands::tour::instruction;

#[cfg(target_arch = "x86_64")]
pub const DEEDS: &[Deed] = &[
    deed("misaligned-vector", "movaps from an address that is no multiple of 16", || {
        odd(instruction::load_vector)
    }),
    deed(
        "misaligned-checked",
        "an int at an odd address, with alignment checks on (EFLAGS.AC)",
        || odd(instruction::load_checked),
    ),
];

#[cfg(target_arch = "aarch64")]
pub const DEEDS: &[Deed] = &[
    deed("misaligned-exclusive", "ldxr from an address that is no multiple of 4", || {
        odd(instruction::load_exclusive)
    }),
    deed("misaligned-call", "p(), where p is no multiple of 4", || {
        let code = instruction::load as unsafe fn(usize) as *const u8 as usize;
        Ok(Arranged::new(code + 1, Act::Call))
    }),
];

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub const DEEDS: &[Deed] = &[];

/// The last byte before a 16-byte boundary: an aarch64 with LSE2 minds only what crosses one.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn odd(act: unsafe fn(usize)) -> Result<Arranged, String> {
    #[repr(align(64))]
    struct Aligned([u8; 64]);
    static MEMORY: Aligned = Aligned([0; 64]);
    Ok(Arranged::new(MEMORY.0.as_ptr().addr() + 15, Act::Other(act)))
}
