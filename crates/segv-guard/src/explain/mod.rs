//! A fault, or an address, in words: what was touched, what lies there, and the likely mistake.
//! Slide "Illegal Memory Access".
//!
//! A fault says where and why; what was mapped there, and what the program was up to, it does not
//! say. The kernel's list of mappings does ([`Listed`], /proc/PID/maps):
//!
//! ```text
//!   fault: write, 0x7f31c0a04004, SEGV_ACCERR
//!                     │
//!   maps:  … 7f31c0a04000-7f31c0a05000 r--s 00003000 … /home/ada/notes.dat
//!                     ▼
//!   writing 0x7f31c0a04004: page 3 of notes.dat is mapped read: the file was mapped for reading
//!   only
//! ```
//!
//! A [`Scene`] is what is known about the process: its mappings with the lengths of their files,
//! and whatever else the caller can tell. [`Scene::explain`] makes one sentence of a fault,
//! [`Scene::place`] tells what lies at an address, [`Scene::outcome`] what an access there would
//! do.
//!
//! All of it allocates, locks and reads files, so **none of it may be called from a signal
//! handler**: it is for after a landing, or for another process: a parent that was told of the
//! fault ([`Fault::reported`]), a tracer.
//!
//! ```
//! use segv_guard::explain::{Mistake, Scene};
//! use std::ptr;
//!
//! let guard = segv_guard::install()?;
//! // SAFETY: no Rust value lies in the first page of an address space.
//! let fault = unsafe { guard.read_byte(ptr::without_provenance(8)) }.unwrap_err();
//!
//! let explained = Scene::of_this_process()?.explain(&fault);
//! assert_eq!(explained.mistake(), &Mistake::NullField { offset: 8 });
//! assert_eq!(explained.to_string(), "reading 0x8: NULL plus 8: a field of a null pointer");
//! # Ok::<(), ipc_common::Error>(())
//! ```
//!
//! # Layout
//!
//! `process` asks /proc what [`maps`](crate::maps) does not say; `machine` knows which addresses the
//! processor has; `scene` puts them together; `place` is where an address lies; `outcome` what an
//! access would do; `diagnosis` finds the mistake, `mistake` says it; `told` puts a
//! mapping into a sentence; `words` are the small change.

mod diagnosis;
mod explanation;
mod machine;
mod mistake;
mod outcome;
mod place;
mod process;
mod scene;
#[cfg(test)]
mod tests;
mod told;
mod words;

pub use explanation::Explanation;
pub use mistake::Mistake;
pub use outcome::Outcome;
pub use place::Place;
pub use scene::Scene;
pub(crate) use words::bytes;
pub use words::text_in;

pub use crate::maps::{Backing, Listed};

#[cfg(doc)]
use crate::Fault;
