//! What the child of a deed and its parent say to each other: a line for each event.
//!
//! ```text
//!   child                                        parent
//!   ready [START END WHAT]      ──────────►      looks at the child's mappings
//!                               ◄──────────      a line: go on
//!   probe ok | probe FAULT      ──────────►
//!   fault FAULT SP              ──────────►      looks at the child's mappings once more
//!   (from within the handler)   ◄──────────      a line: go on, and die
//! ```
//!
//! FAULT is signal, code, address and access, in hexadecimal. `skip REASON` comes instead if the
//! deed is not possible, `unharmed` if the access was not refused.

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::str::SplitWhitespace;

use nix::sys::signal::Signal;
use segv_guard::{Access, Fault};

use super::instruction;

/// What a child says.
pub enum Report {
    Skip(String),
    Ready(Option<(Range<usize>, String)>),
    Probe(Option<Fault>),
    Fault { fault: Fault, stack_pointer: usize },
    Unharmed,
}

impl Report {
    /// A line of the child's; `None` if it is none.
    pub fn parse(line: &str) -> Option<Report> {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut words = rest.split_whitespace();
        Some(match kind {
            "skip" => Report::Skip(rest.into()),
            "ready" if rest.is_empty() => Report::Ready(None),
            "ready" => {
                let range = number(&mut words)?..number(&mut words)?;
                Report::Ready(Some((range, words.collect::<Vec<_>>().join(" "))))
            }
            "probe" if rest == "ok" => Report::Probe(None),
            "probe" => Report::Probe(Some(fault(&mut words)?)),
            "fault" => {
                Report::Fault { fault: fault(&mut words)?, stack_pointer: number(&mut words)? }
            }
            "unharmed" => Report::Unharmed,
            _ => return None,
        })
    }
}

fn number(words: &mut SplitWhitespace<'_>) -> Option<usize> {
    usize::from_str_radix(words.next()?, 16).ok()
}

fn fault(words: &mut SplitWhitespace<'_>) -> Option<Fault> {
    let signal = Signal::try_from(i32::try_from(number(words)?).ok()?).ok()?;
    // A code may be below 0.
    let code = u32::try_from(number(words)?).ok()?.cast_signed();
    let address = number(words)?;
    let access = match number(words)? {
        1 => Access::Read,
        2 => Access::Write,
        3 => Access::Execute,
        _ => Access::Unknown,
    };
    Some(Fault::reported(signal, code, address, access))
}

/// A line made without allocating: for handlers.
pub struct Line {
    bytes: [u8; 128],
    len: usize,
}

impl Line {
    pub fn new(kind: &str) -> Line {
        let mut line = Line { bytes: [0; 128], len: 0 };
        kind.bytes().for_each(|byte| line.push(byte));
        line
    }

    pub fn fault(self, fault: &Fault) -> Line {
        let address = fault.address().unwrap_or(0);
        self.number(fault.signal() as usize)
            .number(fault.code().cast_unsigned() as usize)
            .number(address)
            .number(fault.access() as usize)
    }

    pub fn number(mut self, number: usize) -> Line {
        self.push(b' ');
        for digit in (0..usize::BITS / 4).rev() {
            let digit = (number >> (4 * digit) & 15) as u8;
            self.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        }
        self
    }

    /// What does not fit is left out: nothing here may panic.
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// Writes it to standard output, past all buffers.
    pub fn send(mut self) {
        self.push(b'\n');
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        // SAFETY: write(2) reads what a slice lends it.
        unsafe { libc::write(libc::STDOUT_FILENO, bytes.as_ptr().cast(), bytes.len()) };
    }
}

/// The child's handler: tells the parent, waits until it has looked around, and lets the
/// instruction fail once more, now deadly. All it calls is on the list of signal-safety(7).
pub extern "C" fn tell_and_die(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    instruction::uncheck_alignment();
    // SAFETY: the arguments of a handler, which is this one.
    let (fault, stack_pointer) = unsafe { (Fault::decode(info, context), stack_pointer(context)) };
    if let Some(fault) = fault {
        Line::new("fault").fault(&fault).number(stack_pointer).send();
        let mut byte = [0_u8; 1];
        // SAFETY: one byte of our own. At the end of the input it returns at once, too.
        unsafe { libc::read(libc::STDIN_FILENO, byte.as_mut_ptr().cast(), 1) };
    }
    // SAFETY: `signal` with SIG_DFL runs none of our code.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// # Safety
///
/// - `context` is the third argument of a handler that is still running.
unsafe fn stack_pointer(context: *mut c_void) -> usize {
    let context = context.cast::<libc::ucontext_t>();
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the caller's promise.
    return unsafe { (*context).uc_mcontext.gregs[libc::REG_RSP as usize] as usize };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the caller's promise.
    return unsafe { (*context).uc_mcontext.sp as usize };
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        // A local variable is far from the overflow if the handler has a stack of its own; then an
        // overflow is not recognised, and nothing else is mistaken for one.
        let _ = context;
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_arrives_as_it_was_sent() {
        for (signal, code, access) in [
            (Signal::SIGSEGV, 1, Access::Write),
            (Signal::SIGBUS, 2, Access::Read),
            (Signal::SIGSEGV, -14, Access::Unknown),
        ] {
            let sent = Fault::reported(signal, code, 0x7f31_c0a0_4004, access);
            let line = Line::new("fault").fault(&sent).number(42);
            let text = std::str::from_utf8(&line.bytes[..line.len]).unwrap();
            let Some(Report::Fault { fault, stack_pointer }) = Report::parse(text) else {
                panic!("{text}");
            };
            assert_eq!((fault, stack_pointer), (sent, 42));
        }
    }

    #[test]
    fn an_object_keeps_its_words() {
        let Some(Report::Ready(Some((range, what)))) =
            Report::parse("ready 10 20 a 16-byte buffer")
        else {
            panic!("no object");
        };
        assert_eq!((range, what.as_str()), (16..32, "a 16-byte buffer"));
        assert!(Report::parse("hello").is_none() && Report::parse("fault 1").is_none());
    }
}
