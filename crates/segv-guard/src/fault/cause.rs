//! `si_code`: why an access was refused.

use std::ffi::c_int;

// sigaction(2) lists them; the libc crate has only those of SIGBUS.
const SEGV_MAPERR: c_int = 1;
const SEGV_ACCERR: c_int = 2;
const SEGV_PKUERR: c_int = 4;
const SEGV_MTEAERR: c_int = 8;
/// Some fault that is no page fault. On x86-64, `info` then holds no address.
const SI_KERNEL: c_int = 128;

/// Why an access was refused: the signal and its code, as one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// SIGSEGV, `SEGV_MAPERR`: nothing is mapped there; or it is a page of the kernel, or one
    /// guarded by `MADV_GUARD_INSTALL`.
    Unmapped,
    /// SIGSEGV, `SEGV_ACCERR`: there is a mapping, but its protection does not allow the access.
    Protection,
    /// SIGSEGV, `SEGV_PKUERR`: the thread's protection keys (pkeys(7)) do not allow it now.
    ProtectionKey,
    /// `SI_KERNEL` on x86-64: the address has 64 bits of which no page table translates the upper
    /// ones (SIGSEGV; SIGBUS if it came from the stack pointer). The kernel does not know which.
    /// Instructions that are refused for other reasons report the same: `hlt`, a misaligned
    /// `movaps`. aarch64 has no such case; it says `Unmapped`.
    NonCanonical,
    /// SIGBUS, `BUS_ADRERR`: the mapping is there, the file behind it is not: it was cut shorter.
    /// A disk that fails and a tmpfs that is full while a page is needed report the same.
    PastEndOfFile,
    /// SIGBUS, `BUS_ADRALN`: the address is not aligned as this instruction needs it.
    Misaligned,
    /// SIGBUS, `BUS_MCEERR_AR`: the memory chip has lost what was there.
    BrokenMemory,
    /// `EFAULT` from process_vm_readv(2) or process_vm_writev(2), which make the probes on other
    /// machines than x86-64 and aarch64, and do not say why.
    Untold,
    /// Any other `si_code`; below 0, minus another errno of the two calls.
    Other(c_int),
}

impl Cause {
    pub(super) const fn of(signal: c_int, code: c_int) -> Cause {
        match (signal, code) {
            (libc::SIGSEGV, SEGV_MAPERR) => Cause::Unmapped,
            (libc::SIGSEGV, SEGV_ACCERR) => Cause::Protection,
            (libc::SIGSEGV, SEGV_PKUERR) => Cause::ProtectionKey,
            (_, SI_KERNEL) => Cause::NonCanonical,
            (libc::SIGBUS, libc::BUS_ADRERR) => Cause::PastEndOfFile,
            (libc::SIGBUS, libc::BUS_ADRALN) => Cause::Misaligned,
            (libc::SIGBUS, libc::BUS_MCEERR_AR) => Cause::BrokenMemory,
            (_, code) if code == -libc::EFAULT => Cause::Untold,
            (_, code) => Cause::Other(code),
        }
    }

    /// The code's name in sigaction(2), if it has one.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Cause::Unmapped => "SEGV_MAPERR",
            Cause::Protection => "SEGV_ACCERR",
            Cause::ProtectionKey => "SEGV_PKUERR",
            Cause::NonCanonical => "SI_KERNEL",
            Cause::PastEndOfFile => "BUS_ADRERR",
            Cause::Misaligned => "BUS_ADRALN",
            Cause::BrokenMemory => "BUS_MCEERR_AR",
            Cause::Untold | Cause::Other(_) => return None,
        })
    }

    /// The second half of a sentence that began with the access.
    pub(super) const fn because(self) -> &'static str {
        match self {
            Cause::Unmapped => "nothing is mapped there",
            Cause::Protection => "the page there does not allow it",
            Cause::ProtectionKey => "the page's protection key does not allow it now",
            Cause::NonCanonical => "no page can have this address",
            Cause::PastEndOfFile => "the page lies past the end of its file",
            Cause::Misaligned => "this instruction needs an aligned address",
            Cause::BrokenMemory => "the memory there has failed",
            Cause::Untold => "the kernel refused, and did not say why",
            Cause::Other(_) => "the kernel refused, for a reason unknown here",
        }
    }
}

/// Whether the instruction at the program counter caused the signal. If not, someone sent it
/// (kill(2) and the like: 0 and below), or the kernel reports what is not this thread's doing: a
/// broken page that nobody has read yet, a memory tag found wrong some time ago.
pub(crate) const fn is_of_the_instruction(signal: c_int, code: c_int) -> bool {
    let late = matches!(
        (signal, code),
        (libc::SIGBUS, libc::BUS_MCEERR_AO) | (libc::SIGSEGV, SEGV_MTEAERR)
    );
    code > 0 && !late
}

/// Whether returning from the handler is sure to bring the same signal again. `SI_KERNEL` is not:
/// the kernel also uses it when it cannot put a signal frame on the stack.
pub(crate) const fn will_come_again(signal: c_int, code: c_int) -> bool {
    is_of_the_instruction(signal, code) && code != SI_KERNEL
}
