//! Addresses at which nothing can be, whatever the program has mapped.

use super::{Act, Arranged, Deed, deed};
use crate::commands::sys;

pub const DEEDS: &[Deed] = &[
    deed("null-read", "*p, where p is NULL", || at(0, Act::Read)),
    deed("null-field", "p->field = 1, where p is NULL", || at(8, Act::Write)),
    deed("null-call", "f(), where f is NULL", || at(0, Act::Call)),
    deed("failed-mmap", "*p, where p is what mmap returned when it failed", || {
        at(sys::failed_mmap(), Act::Read)
    }),
    deed("text-pointer", "*p, after strcpy(&p, \"hello\")", || {
        at(usize::from_ne_bytes(*b"hello\0\0\0"), Act::Read)
    }),
    deed("wild-read", "*p, where p was never set", || at(0x1000_dead_beef, Act::Read)),
    deed("kernel-read", "*p, where p is an address of the kernel", || at(KERNEL, Act::Read)),
    deed("kernel-write", "*p = 1, where p is an address of the kernel", || at(KERNEL, Act::Write)),
    deed("kernel-call", "p(), where p is an address of the kernel", || at(KERNEL, Act::Call)),
    deed("non-canonical-read", "*p, where no page can have the address p", || {
        at(NO_PAGE, Act::Read)
    }),
    deed("non-canonical-write", "*p = 1, where no page can have the address p", || {
        at(NO_PAGE, Act::Write)
    }),
    deed("non-canonical-call", "p(), where no page can have the address p", || {
        at(NO_PAGE, Act::Call)
    }),
];

/// The start of the kernel's half, with 48 bits and with fewer.
const KERNEL: usize = 0xffff_8000_0000_0000;
/// Neither in the one half nor in the other, with 48 bits and with 57. Bit 62 would not do for
/// aarch64, which ignores it in a program's pointers.
const NO_PAGE: usize = if cfg!(target_arch = "x86_64") { 1 << 62 } else { 1 << 53 };

fn at(address: usize, act: Act) -> Result<Arranged, String> {
    Ok(Arranged::new(address, act))
}
