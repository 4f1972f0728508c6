//! The child's part: a write to a buffer, plain or guarded, and what memory holds afterwards.

use std::fmt;
use std::io::{BufRead, Write, stdin};

use clap::{Args, ValueEnum};
use ipc_common::cli::{Failure, out};
use nix::sys::mman::{MapFlags, ProtFlags};
use nix::sys::resource::Resource;
use segv_guard::uses::{GuardedBuffer, OnOverflow};
use serde_json::json;

use crate::commands::sys;
use crate::commands::tour::report::tell_and_die;

/// How long the buffer is.
pub const LEN: usize = 16;
/// What lies in front of the plain buffer, and behind it.
pub const IN_FRONT: &[u8; LEN] = b"balance 00000042";
pub const BEHIND: &[u8; 14] = b"pay 100 crowns";

/// What is done to the buffer.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Deed {
    Fits,
    OneTooMany,
    Index,
    InFront,
}

/// Which buffer it is done to.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Buffer {
    /// Between two neighbours.
    Plain,
    /// Guarded; an overflow kills.
    Fatal,
    /// Guarded; an overflow is noted.
    Noted,
}

/// Writes to a buffer, too much or not
#[derive(Args)]
pub struct OverflowWriter {
    #[arg(value_enum)]
    deed: Deed,
    #[arg(long, value_enum, default_value_t = Buffer::Plain)]
    buffer: Buffer,
    /// Say where the buffer is, wait for a line, and tell of a fault before dying of it.
    #[arg(long)]
    report: bool,
}

impl OverflowWriter {
    pub fn run(self) -> Result<(), Failure> {
        sys::limit(Resource::RLIMIT_CORE, 0)?;
        if self.report {
            // Before `install`, which passes on to it what is fatal.
            // SAFETY: the handler does what a handler may.
            unsafe { sys::handle_faults(tell_and_die) }?;
        }
        let on_overflow = match self.buffer {
            Buffer::Plain => return self.between_neighbours(),
            Buffer::Fatal => OnOverflow::Die,
            Buffer::Noted => OnOverflow::GoOn,
        };
        let buffer = GuardedBuffer::new(segv_guard::install()?, LEN, on_overflow)?;
        let at = buffer.as_ptr();
        // The buffer ends where its page ends, and does not fill it: a byte of that page is in
        // front.
        let before = bytes_at(at.wrapping_sub(1), 1);
        self.write(at)?;
        let after = bytes_at(at.wrapping_sub(1), 1);
        let overflow = buffer.take_overflow()?.map(|overflow| {
            json!({ "offset": overflow.offset, "len": overflow.len, "report": overflow.to_string() })
        });
        let in_front = json!({ "before": text(&before), "after": text(&after) });
        say(&json!({ "overflow": overflow, "in_front": in_front }).to_string())
    }

    fn between_neighbours(&self) -> Result<(), Failure> {
        let open = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let page =
            std::ptr::with_exposed_provenance_mut::<u8>(sys::map(1, open, MapFlags::empty())?);
        let (buffer, behind) = (page.wrapping_add(LEN), page.wrapping_add(2 * LEN));
        // SAFETY: all three are in a page of our own, in which there is no Rust value.
        unsafe {
            page.copy_from_nonoverlapping(IN_FRONT.as_ptr(), IN_FRONT.len());
            behind.copy_from_nonoverlapping(BEHIND.as_ptr(), BEHIND.len());
        }
        let look = || [bytes_at(page, IN_FRONT.len()), bytes_at(behind, BEHIND.len())];
        let before = look();
        self.write(buffer)?;
        let after = look();
        let [in_front, behind] =
            [0, 1].map(|n| json!({ "before": text(&before[n]), "after": text(&after[n]) }));
        say(&json!({ "in_front": in_front, "behind": behind }).to_string())
    }

    fn write(&self, buffer: *mut u8) -> Result<(), Failure> {
        if self.report {
            let start = buffer.addr();
            say(&format!("ready {start:x} {:x} a {LEN}-byte buffer", start + LEN))?;
            // The end of the input is no reason to stay.
            let _ = stdin().lock().read_line(&mut String::new());
        }
        // SAFETY: the buffer has bytes of nobody's in front of it and behind it; or a page behind
        // it that may not be touched, which is what is tried here.
        unsafe {
            match self.deed {
                Deed::Fits => drop(libc::strcpy(buffer.cast(), c"fifteen letters".as_ptr())),
                Deed::OneTooMany => drop(libc::strcpy(buffer.cast(), c"sixteen letters!".as_ptr())),
                Deed::Index => buffer.wrapping_add(20).write_volatile(b'9'),
                Deed::InFront => buffer.wrapping_sub(1).write_volatile(b'9'),
            }
        }
        Ok(())
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Deed::Fits => "strcpy of 15 letters",
            Deed::OneTooMany => "strcpy of 16 letters",
            Deed::Index => "buffer[20] = '9'",
            Deed::InFront => "buffer[-1] = '9'",
        })
    }
}

/// What is in memory just now. Only for the memory of the buffers above.
fn bytes_at(at: *const u8, len: usize) -> Vec<u8> {
    // SAFETY: the callers above pass memory of their own, which is open and stays mapped.
    (0..len).map(|n| unsafe { at.wrapping_add(n).read_volatile() }).collect()
}

pub fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = out();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
