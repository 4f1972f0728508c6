//! Read, write or execute.

/// What the instruction tried to do. The signal's number and code do not say it; the processor
/// told the kernel, and the handler finds it among the registers.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// The processor did not say: for an address that no page can have, on a kernel that leaves
    /// the record out, on a machine that has none.
    Unknown = 0,
    /// A load.
    Read = 1,
    /// A store, or an instruction that loads and stores.
    Write = 2,
    /// The instruction itself could not be fetched.
    Execute = 3,
}

impl Access {
    /// Back from the number in a landing record.
    pub(crate) const fn from_number(number: u32) -> Access {
        match number {
            1 => Access::Read,
            2 => Access::Write,
            3 => Access::Execute,
            _ => Access::Unknown,
        }
    }

    /// For a sentence that goes on with the address.
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Access::Unknown => "accessing",
            Access::Read => "reading",
            Access::Write => "writing",
            Access::Execute => "executing",
        }
    }
}
