//! What the processor held when the signal came: the third argument of a handler.

use std::ffi::c_void;

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod imp;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[path = "other.rs"]
mod imp;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod imp;

use crate::fault::Access;

/// To be called first in a handler: puts the processor's own state as compiled code expects it.
pub(crate) fn settle() {
    imp::settle();
}

/// The registers of the interrupted thread. What is changed here is what the processor holds once
/// the handler has returned.
pub(crate) struct Registers<'a>(&'a mut libc::mcontext_t);

impl Registers<'_> {
    /// # Safety
    ///
    /// - `context` is the third argument of a handler that was installed with `SA_SIGINFO` and
    ///   runs for longer than the result is used.
    /// - No other reference to the registers is in use.
    pub(crate) unsafe fn of<'a>(context: *mut c_void) -> Registers<'a> {
        let context = context.cast::<libc::ucontext_t>();
        // The registers only: the C library's `ucontext_t` is longer than what the kernel puts on
        // the stack, so a reference to all of it would cover memory that is something else.
        // SAFETY: the caller's promise: the kernel has put them there, and leaves them to us.
        Registers(unsafe { &mut (*context).uc_mcontext })
    }

    pub(crate) fn program_counter(&self) -> usize {
        imp::program_counter(self.0)
    }

    pub(crate) fn go_on_at(&mut self, address: usize) {
        imp::go_on_at(self.0, address);
    }

    /// The register in which `ipc_common::view::landing` keeps its record.
    pub(crate) fn landing_record(&self) -> usize {
        imp::landing_record(self.0)
    }

    /// What the processor said of the last fault.
    pub(crate) fn access(&self) -> Access {
        imp::access(self.0)
    }
}
