//! A fault and its likely mistake, as one sentence.

use std::fmt;

use ipc_common::view::landing::Record;
use nix::sys::signal::Signal;

use super::mistake::Mistake;
use super::words;
use crate::fault::{Access, Fault};

/// A fault in a sentence: `Display` is "what was done: what is there: the likely mistake".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    fault: Fault,
    mistake: Mistake,
}

impl Explanation {
    pub(super) fn new(fault: Fault, mistake: Mistake) -> Explanation {
        Explanation { fault, mistake }
    }

    /// What is explained.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// What most likely went wrong. A fault does not prove it: a pointer to freed memory and one
    /// that was never set look alike.
    pub fn mistake(&self) -> &Mistake {
        &self.mistake
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(words::verb(self.fault.access()))?;
        match self.fault.address() {
            Some(address) => write!(f, " {address:#x}: ")?,
            None => f.write_str(" an address that the processor does not tell: ")?,
        }
        self.mistake.fmt(f)
    }
}

impl Fault {
    /// A fault that somebody else was told of, as they tell it: a child through a pipe, a tracer by
    /// `PTRACE_GETSIGINFO`. `code` is `si_code`. Any other signal than SIGBUS counts as SIGSEGV.
    ///
    /// ```
    /// use nix::sys::signal::Signal;
    /// use segv_guard::{Access, Cause, Fault};
    ///
    /// let fault = Fault::reported(Signal::SIGSEGV, 1, 0x8, Access::Read);
    /// assert_eq!(fault.cause(), Cause::Unmapped);
    /// ```
    pub fn reported(signal: Signal, code: i32, address: usize, access: Access) -> Fault {
        let signal = if signal == Signal::SIGBUS { libc::SIGBUS } else { libc::SIGSEGV };
        Fault::from_record(Record { signal, code, address, access: access as u32 })
    }
}
