//! Memory that strangers can write: looked at safely. Slide "Shared Memory".
//!
//! A segment or a mapped file belongs to every process that attached it. Any byte may change
//! between two instructions of ours, so it must never be a `&[u8]`: the compiler is allowed to
//! believe that what lies behind a reference stays as it is (or, behind `&mut`, that nobody else
//! looks). Such a belief, broken, is undefined behaviour. This module keeps to what stays
//! defined:
//!
//! - **copies** in and out, made by one assembly routine, whose loads and stores the compiler
//!   cannot reason about ([`ReadView::read`], [`WriteView::write`]);
//! - **atomics** at aligned offsets ([`ReadView::load_u32`], [`WriteView::atomic_u32`]);
//! - **text** as the lecture's programs keep it: up to the first NUL ([`ReadView::text`],
//!   [`WriteView::put_text`]).
//!
//! ```text
//!        start                                        start + len
//!          |  t  h  e     n  o  t  e  \0  ?  ?  ?  ?  ? |  whatever follows is not ours
//!          [--------------------- view -----------------)
//!               [---- view.part(3, 8) ----)
//! ```
//!
//! What comes out is a copy, and a copy may be torn: half of one note and half of the next.
//! Views make that safe, not impossible. Mutual exclusion is what the locks in `sysv-shm` and
//! `mmap-file` are for.
//!
//! Memory can vanish: if a mapped file is cut shorter, touching the missing pages raises SIGBUS.
//! That is no undefined behaviour, but by default the end of the process. With the handler of
//! `segv-guard` installed, every copy of a view becomes an ordinary error instead ([`landing`]).
//! Atomics are no copies; for them, whoever owns the memory can have zeros mapped in the place of
//! the missing pages. A view that knows of it ([`ReadView::watched`]) reports that, too.
//!
//! # Layout
//!
//! `copy` is the assembly routine, and the only place where the bytes are touched other than by
//! atomics, with [`landing`] for its faults; `read` and `write` the two kinds of view; `text` the
//! NUL-terminated text; `futex` sleeping until a word changes.

mod copy;
mod futex;
#[cfg(test)]
mod model;
mod read;
mod text;
mod write;

pub use copy::landing;
pub use futex::Woken;
pub use read::ReadView;
pub use text::{Stored, Text};
pub use write::WriteView;

use nix::errno::Errno;

use crate::error::Error;

/// A fault stopped the copy of `len` bytes to or from `offset`, and was landed.
#[cold]
fn stopped(call: &'static str, offset: usize, len: usize, stopped: landing::Stopped) -> Error {
    let good = stopped.good;
    let (errno, why) = if stopped.record.signal == libc::SIGBUS {
        (
            Errno::EIO,
            "the file behind this memory was cut shorter, so its last pages are gone (or its \
             device could not deliver them); map it anew",
        )
    } else {
        (Errno::EFAULT, "the rest is not mapped in this way any more; map or attach it anew")
    };
    Error::new(call, errno, format!("{len} bytes at offset {offset}"))
        .with_remedy(format!("only the first {good} bytes were copied: {why}"))
        .with_good_bytes(good)
}

/// A copy in several steps got so far before the one that failed.
#[cold]
fn more_good(error: Error, before: usize) -> Error {
    match error.good_bytes() {
        // Of replaced memory, nothing is good.
        Some(good) if error.is_from_kernel() => error.with_good_bytes(before + good),
        _ => error,
    }
}

/// Other pages have taken the place of the memory's.
#[cold]
fn replaced(call: &'static str, len: usize) -> Error {
    Error::refused(call, Errno::EIO, format!("a view of {len} bytes"))
        .with_remedy(
            "the file behind this memory was cut shorter, and zeros have taken the place of its \
             last pages: what is read is not the file's, and what is written is lost; map it anew",
        )
        .with_good_bytes(0)
}

/// `len` bytes at `offset` do not lie in a view of `size` bytes.
#[cold]
fn outside(call: &'static str, offset: usize, len: usize, size: usize) -> Error {
    Error::refused(call, Errno::ERANGE, format!("{len} bytes at offset {offset}")).with_remedy(
        format!("that is not inside this memory, which has {size} bytes; ask for less"),
    )
}
