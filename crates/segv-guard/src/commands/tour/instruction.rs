//! The instructions that do it. In assembly: to the compiler, a load from null is not an access
//! that fails but a promise that it never happens, and it may do with that as it likes. To the
//! processor it is an instruction like any other.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use std::arch::asm;

/// Loads a byte.
///
/// # Safety
///
/// - It is a child made for this deed: the access is refused, or harms only what the child has made
///   for it.
pub unsafe fn load(at: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the caller's promise; a load changes nothing.
    unsafe {
        asm!("mov {0:l}, byte ptr [{1}]", out(reg_abcd) _, in(reg) at)
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the caller's promise; a load changes nothing.
    unsafe {
        asm!("ldrb {0:w}, [{1}]", out(reg) _, in(reg) at)
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    // SAFETY: the caller's promise; the C library is as opaque as assembly.
    unsafe {
        libc::memchr(std::ptr::without_provenance(at), 0, 1);
    }
}

/// Loads eight bytes, aligned or not.
///
/// # Safety
///
/// - As for [`load`].
pub unsafe fn load_word(at: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the caller's promise; a load changes nothing.
    unsafe {
        asm!("mov {0}, qword ptr [{1}]", out(reg) _, in(reg) at)
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the caller's promise; a load changes nothing.
    unsafe {
        asm!("ldr {0}, [{1}]", out(reg) _, in(reg) at)
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    // SAFETY: the caller's promise; as in `load`.
    unsafe {
        libc::memrchr(std::ptr::without_provenance(at), 1, 8);
    }
}

/// Stores a byte.
///
/// # Safety
///
/// - As for [`load`].
pub unsafe fn store(at: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the caller's promise.
    unsafe {
        asm!("mov byte ptr [{0}], 1", in(reg) at)
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the caller's promise.
    unsafe {
        asm!("strb wzr, [{0}]", in(reg) at)
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    // SAFETY: the caller's promise; as in `load`.
    unsafe {
        libc::memset(std::ptr::without_provenance_mut(at), 1, 1);
    }
}

/// Calls it as a function.
///
/// # Safety
///
/// - As for [`load`]: no code is there, or none that may be run.
pub unsafe fn call(at: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the caller's promise.
    unsafe {
        asm!("call {0}", in(reg) at, clobber_abi("C"))
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the caller's promise.
    unsafe {
        asm!("blr {0}", in(reg) at, clobber_abi("C"))
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    // SAFETY: the caller's promise. (A null `fn` would be invalid even if nobody called it.)
    unsafe {
        libc::signal(libc::SIGUSR1, at);
        libc::raise(libc::SIGUSR1);
    }
}

/// A 16-byte load that insists on an aligned address.
///
/// # Safety
///
/// - As for [`load`].
#[cfg(target_arch = "x86_64")]
pub unsafe fn load_vector(at: usize) {
    // SAFETY: the caller's promise; a load changes nothing.
    unsafe { asm!("movaps {0}, xmmword ptr [{1}]", out(xmm_reg) _, in(reg) at) }
}

/// A 4-byte load while the processor checks the alignment of each access: bit 18 of the flags,
/// which nobody sets, as the C library would not survive it.
///
/// # Safety
///
/// - As for [`load`].
#[cfg(target_arch = "x86_64")]
pub unsafe fn load_checked(at: usize) {
    // SAFETY: the caller's promise; the flag is cleared again.
    unsafe {
        asm!(
            "pushfq",
            "or dword ptr [rsp], 0x40000",
            "popfq",
            "mov {0:e}, dword ptr [{1}]",
            "pushfq",
            "and dword ptr [rsp], 0xfffbffff",
            "popfq",
            out(reg) _,
            in(reg) at,
        );
    }
}

/// For handlers: they inherit the flag of [`load_checked`], and the first memcpy would trip.
pub fn uncheck_alignment() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: only the one bit is changed; the stack is as before.
    unsafe {
        asm!("pushfq", "and dword ptr [rsp], 0xfffbffff", "popfq");
    }
}

/// The first half of an atomic operation, which insists on an aligned address.
///
/// # Safety
///
/// - As for [`load`].
#[cfg(target_arch = "aarch64")]
pub unsafe fn load_exclusive(at: usize) {
    // SAFETY: the caller's promise; a load changes nothing.
    unsafe { asm!("ldxr {0:w}, [{1}]", out(reg) _, in(reg) at) }
}
