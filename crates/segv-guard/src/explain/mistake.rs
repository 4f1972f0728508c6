//! The mistakes that a fault points to, and how they are said.

use std::fmt;

use super::words::bytes as count;

/// What most likely went wrong. `Display` is the second half of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields: `what` is in words, `bytes` and `offset` are counts")]
pub enum Mistake {
    /// A pointer that is NULL was followed.
    NullPointer,
    /// A field of a struct, or an element of an array, of which the pointer is NULL.
    NullField { offset: usize },
    /// A function pointer that is NULL was called.
    NullCall,
    /// Something in front of NULL: the header before a block, an index of -1.
    NullMinus { bytes: usize },
    /// `(void *) -1`: how mmap(2) and shmat(2) say that they failed.
    UncheckedError,
    /// An address of the kernel's.
    KernelAddress,
    /// An address that no page can have.
    NoSuchAddress { told: bool },
    /// The bytes of the address are text.
    TextAsPointer { text: String },
    /// Past the end of a mapping or an object. `bytes` is 0 for the first byte behind it.
    PastEnd { bytes: usize, what: String },
    /// The same, into a page without access.
    PastEndInGuard { bytes: usize, what: String },
    /// In front of a mapping or an object.
    BeforeStart { bytes: usize, what: String },
    /// It was there earlier.
    Freed { what: String },
    /// Nothing is there, nor close by.
    NothingHere { nearest: Option<String> },
    /// The thread's stack has no room left. Not `certain` if the stack pointer is not known.
    StackOverflow { certain: bool },
    /// `MADV_GUARD_INSTALL` in the middle of memory that may otherwise be touched.
    GuardPage { what: String, protection: String },
    /// `PROT_NONE`.
    NoAccess { what: String },
    /// Code was to be changed.
    WriteToCode { what: String },
    /// A constant of a program or library was to be changed.
    WriteToConstant { what: String },
    /// A file that is mapped for reading.
    WriteToReadOnlyFile { what: String },
    /// Other memory that is read-only.
    WriteToReadOnly { what: String },
    /// Data was called as a function.
    DataExecuted { what: String, protection: String },
    /// Code was read that may only be executed.
    ReadOfExecuteOnly { what: String },
    /// What is mapped there now would allow it.
    AllowedNow { what: String, protection: String },
    /// A page of a file that is not that long (any more).
    PastEndOfFile { page: u64, file: String, bytes: u64, before: Option<u64> },
    /// The same, most likely: the length of the file is not known.
    PerhapsPastEndOfFile { what: String },
    /// The file is long enough, and yet the page cannot be had.
    NoPageToBeHad { what: String },
    /// The system's pool of huge pages is empty.
    NoHugePage,
    /// The thread has switched off its own access (pkeys(7)).
    ProtectionKey { what: String },
    /// The memory chip failed.
    BrokenMemory { what: String },
    /// The instruction needs an aligned address.
    Misaligned,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mistake::NullPointer => f.write_str("a null pointer was followed"),
            Mistake::NullField { offset } => {
                write!(f, "NULL plus {offset}: a field of a null pointer")
            }
            Mistake::NullCall => f.write_str("a null function pointer was called"),
            Mistake::NullMinus { bytes } => {
                write!(f, "NULL minus {bytes}: what would stand in front of a null pointer")
            }
            Mistake::UncheckedError => f.write_str(
                "(void *) -1: mmap or shmat failed, and nobody checked what it returned",
            ),
            Mistake::KernelAddress => {
                f.write_str("the kernel's half of the address space: never a program's pointer")
            }
            Mistake::NoSuchAddress { told: true } => {
                f.write_str("no page can have this address: something was written over the pointer")
            }
            Mistake::NoSuchAddress { told: false } => f.write_str(
                "no page can have it: something was written over the pointer (or an instruction such \
                 as movaps met a misaligned one)",
            ),
            Mistake::TextAsPointer { text } => {
                write!(f, "its bytes are the text {text:?}: a string was written over the pointer")
            }
            Mistake::PastEnd { bytes, what } => {
                write!(f, "{} the end of {what}: the index is too large", past(*bytes))
            }
            Mistake::PastEndInGuard { bytes, what } => write!(
                f,
                "{} the end of {what}, in a guard page without access: the index is too large",
                past(*bytes)
            ),
            Mistake::BeforeStart { bytes, what } => {
                let bytes = count(*bytes as u64);
                write!(f, "{bytes} before the start of {what}: the index is negative")
            }
            Mistake::Freed { what } => {
                write!(f, "freed: nothing is mapped here any more; it was {what}")
            }
            Mistake::NothingHere { nearest } => {
                f.write_str("nothing is mapped here")?;
                if let Some(nearest) = nearest {
                    write!(f, " ({nearest})")?;
                }
                f.write_str(": it was freed, or the pointer was never set, or was written over")
            }
            Mistake::StackOverflow { certain: true } => f.write_str(
                "below the end of the stack, which has overflowed: endless recursion, or a very \
                 large local variable",
            ),
            Mistake::StackOverflow { certain: false } => f.write_str(
                "a page without access right below writable memory: if that is a thread's stack, \
                 it has overflowed",
            ),
            Mistake::GuardPage { what, protection } => write!(
                f,
                "{what} is mapped {protection}, but this page is guarded (MADV_GUARD_INSTALL): the \
                 index is too large, or the stack has overflowed"
            ),
            Mistake::NoAccess { what } => write!(
                f,
                "{what} is mapped with no access at all (PROT_NONE): set aside, or a guard page"
            ),
            Mistake::WriteToCode { what } => {
                write!(f, "{what} is mapped for execution: writing to text that is read-only")
            }
            Mistake::WriteToConstant { what } => {
                write!(f, "{what} is mapped read: writing to a constant, such as a string literal")
            }
            Mistake::WriteToReadOnlyFile { what } => {
                write!(f, "{what} is mapped read: the file was mapped for reading only")
            }
            Mistake::WriteToReadOnly { what } => {
                write!(f, "{what} is mapped read: it was made read-only")
            }
            Mistake::DataExecuted { what, protection } => write!(
                f,
                "{what} is mapped {protection}: this is data, and the pointer that was called is \
                 no function's"
            ),
            Mistake::ReadOfExecuteOnly { what } => {
                write!(f, "{what} is mapped exec: code that may be run but not looked at")
            }
            Mistake::AllowedNow { what, protection } => write!(
                f,
                "{what} is mapped {protection} now, which allows it: it was changed since the fault"
            ),
            Mistake::PastEndOfFile { page, file, bytes, before } => {
                write!(f, "page {page} lies past the end of {file}, which has {bytes} bytes")?;
                match before {
                    Some(before) if before > bytes => {
                        write!(f, " and had {before}: someone truncated it")
                    }
                    Some(_) => f.write_str(" as before: more was mapped than there is"),
                    None => f.write_str(": someone truncated it, or mapped more than there is"),
                }
            }
            Mistake::PerhapsPastEndOfFile { what } => {
                write!(f, "{what} is not to be had: most likely someone truncated the file")
            }
            Mistake::NoPageToBeHad { what } => write!(
                f,
                "{what} is not to be had, though the file is long enough: the file system is full, \
                 or the device failed"
            ),
            Mistake::NoHugePage => f.write_str(
                "no huge page is left in the pool (vm.nr_hugepages), and none was reserved",
            ),
            Mistake::ProtectionKey { what } => {
                write!(f, "{what} is locked by a protection key: the thread has not unlocked it")
            }
            Mistake::BrokenMemory { what } => {
                write!(f, "{what} was in memory that has failed: what stood there is lost")
            }
            Mistake::Misaligned => f.write_str(
                "it is no multiple of the operand's size, and here it has to be: a pointer was \
                 cast to a type that needs alignment",
            ),
        }
    }
}

fn past(bytes: usize) -> String {
    if bytes == 0 { "just past".into() } else { format!("{} past", count(bytes as u64)) }
}
