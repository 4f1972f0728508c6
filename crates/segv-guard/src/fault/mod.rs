//! A fault as a value: which signal, why, where, and what was tried.

mod access;
mod cause;

use std::ffi::{c_int, c_void};
use std::fmt;

use ipc_common::view::landing::Record;
use nix::sys::signal::Signal;

pub use access::Access;
pub use cause::Cause;
pub(crate) use cause::{is_of_the_instruction, will_come_again};

use crate::context::Registers;

/// An access that the hardware refused. Plain numbers: it can be made, copied and stored within a
/// signal handler.
///
/// `Display` is a sentence: `writing 0x7f31c0a04000: the page there does not allow it (SIGSEGV,
/// SEGV_ACCERR)`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    signal: c_int,
    code: c_int,
    address: usize,
    access: Access,
}

impl Fault {
    /// What a handler installed with `SA_SIGINFO` was told by its arguments. `None` if no
    /// instruction of this thread caused the signal: someone sent it.
    ///
    /// Async-signal-safe.
    ///
    /// # Safety
    ///
    /// - `info` and `context` are the second and third argument of a handler for SIGSEGV or
    ///   SIGBUS that is still running, and no reference to what they point at is in use.
    pub unsafe fn decode(info: *const libc::siginfo_t, context: *mut c_void) -> Option<Fault> {
        // SAFETY: the caller's promise; for every code above 0 of these two signals, the kernel
        // has filled the member that `si_addr` reads.
        let (signal, code, address) =
            unsafe { ((*info).si_signo, (*info).si_code, (*info).si_addr()) };
        if !is_of_the_instruction(signal, code) {
            return None;
        }
        // SAFETY: the caller's promise.
        let access = unsafe { Registers::of(context) }.access();
        Some(Fault { signal, code, address: address.addr(), access })
    }

    /// A fault that no signal told of, but an errno.
    pub(crate) const fn of_errno(errno: c_int, address: usize, access: Access) -> Fault {
        Fault { signal: libc::SIGSEGV, code: errno.wrapping_neg(), address, access }
    }

    /// A fault that was mended, and is reported now.
    pub(crate) const fn past_end_of_file(address: usize, access: Access) -> Fault {
        Fault { signal: libc::SIGBUS, code: libc::BUS_ADRERR, address, access }
    }

    /// SIGSEGV or SIGBUS.
    pub const fn signal(&self) -> Signal {
        if self.signal == libc::SIGBUS { Signal::SIGBUS } else { Signal::SIGSEGV }
    }

    /// `si_code`, as it came.
    pub const fn code(&self) -> c_int {
        self.code
    }

    /// Why the access was refused.
    pub const fn cause(&self) -> Cause {
        Cause::of(self.signal, self.code)
    }

    /// Where: the first byte of the access that was refused, as far as the processor tells.
    /// `None` for [`Cause::NonCanonical`], where it does not, and for [`Cause::Misaligned`] on
    /// x86-64, where it does not either.
    pub const fn address(&self) -> Option<usize> {
        match self.cause() {
            Cause::NonCanonical => None,
            Cause::Misaligned if self.address == 0 => None,
            _ => Some(self.address),
        }
    }

    /// What was tried.
    pub const fn access(&self) -> Access {
        self.access
    }

    pub(crate) const fn to_record(self) -> Record {
        Record {
            signal: self.signal,
            code: self.code,
            address: self.address,
            access: self.access as u32,
        }
    }

    pub(crate) const fn from_record(record: Record) -> Fault {
        Fault {
            signal: record.signal,
            code: record.code,
            address: record.address,
            access: Access::from_number(record.access),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.access.verb())?;
        match self.address() {
            Some(address) => write!(f, " {address:#x}")?,
            None => f.write_str(" memory")?,
        }
        let cause = self.cause();
        write!(f, ": {} ({}, ", cause.because(), self.signal().as_str())?;
        match cause.name() {
            Some(name) => write!(f, "{name})"),
            None => write!(f, "code {})", self.code),
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_the_kernel_reports_survives_the_record_and_prints(
            signal in prop_oneof![Just(libc::SIGSEGV), Just(libc::SIGBUS), any::<c_int>()],
            code in prop_oneof![-20..130, any::<c_int>()],
            address: usize,
            access: u32,
        ) {
            let fault = Fault::from_record(Record { signal, code, address, access });
            prop_assert_eq!(Fault::from_record(fault.to_record()), fault);
            let sentence = fault.to_string();
            prop_assert!(!sentence.contains('\n') && sentence.ends_with(')'), "{}", sentence);
            prop_assert!(code > 0 || !is_of_the_instruction(signal, code));
        }
    }

    #[test]
    fn an_address_that_the_kernel_does_not_know_is_not_shown_as_null() {
        let fault = Fault { signal: libc::SIGSEGV, code: 128, address: 0, access: Access::Unknown };
        assert_eq!(fault.address(), None);
        assert_eq!(
            fault.to_string(),
            "accessing memory: no page can have this address (SIGSEGV, SI_KERNEL)"
        );
    }

    #[test]
    fn a_broken_page_nobody_has_read_is_not_this_threads_fault() {
        assert!(!is_of_the_instruction(libc::SIGBUS, libc::BUS_MCEERR_AO));
        assert!(is_of_the_instruction(libc::SIGBUS, libc::BUS_MCEERR_AR));
    }
}
