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
//! A view does not survive its memory vanishing. If a mapped file is truncated, touching the
//! missing pages raises SIGBUS; that is no undefined behaviour, but the end of the process.
//!
//! # Layout
//!
//! `copy` is the assembly routine, and the only place where the bytes are touched other than by
//! atomics; `read` and `write` the two kinds of view; `text` the NUL-terminated text; `futex`
//! sleeping until a word changes.

mod copy;
mod futex;
#[cfg(test)]
mod model;
mod read;
mod text;
mod write;

pub use futex::Woken;
pub use read::ReadView;
pub use text::{Stored, Text};
pub use write::WriteView;

use nix::errno::Errno;

use crate::error::Error;

/// `len` bytes at `offset` do not lie in a view of `size` bytes.
fn outside(call: &'static str, offset: usize, len: usize, size: usize) -> Error {
    Error::refused(call, Errno::ERANGE, format!("{len} bytes at offset {offset}")).with_remedy(
        format!("that is not inside this memory, which has {size} bytes; ask for less"),
    )
}
