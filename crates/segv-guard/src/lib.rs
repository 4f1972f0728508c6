//! Illegal memory access: SIGSEGV and SIGBUS caught, told apart, and passed on as they were.
//! Slide "Illegal Memory Access: use signals!".
//!
//! Every load and store goes through the page table. If no entry allows it, the processor stops
//! before the instruction and the kernel sends the thread a signal. By default that ends the
//! process. This crate catches the signal and does one of four things:
//!
//! ```text
//!   load / store ──► page table says no ──► kernel ──► SIGSEGV, SIGBUS
//!                                                          │
//!      does a range's handler make the page ready? ────────┤ yes: the instruction runs again
//!                                                          │ no
//!      was it one of our copies, with a net below? ────────┤ yes: the copy returns Err: which
//!                                                          │ address, read or write, why, and
//!                                                          │ how many bytes are good
//!                                                          │ no
//!      is it the missing end of a file that is watched? ───┤ yes: zeros take its place, whoever
//!      (or: has a range's handler a way out for it?)       │ asks is told, and the instruction
//!                                                          │ runs again
//!                                                          ▼ no
//!                         passed on to whoever had the signal before; a crash stays what it was
//! ```
//!
//! ```
//! use segv_guard::{Access, Cause};
//! use std::ptr;
//!
//! let guard = segv_guard::install()?;
//! // SAFETY: no Rust value lies in the first page of an address space.
//! let fault = unsafe { guard.read_byte(ptr::without_provenance(8)) }.unwrap_err();
//!
//! assert_eq!((fault.access(), fault.address()), (Access::Read, Some(8)));
//! assert_eq!(fault.cause(), Cause::Unmapped);
//! assert_eq!(fault.to_string(), "reading 0x8: nothing is mapped there (SIGSEGV, SEGV_MAPERR)");
//! # Ok::<(), ipc_common::Error>(())
//! ```
//!
//! From [`install`] on, every copy of an [`ipc_common::view`] is caught as well.
//!
//! # Layout
//!
//! `handler` installs the handler and holds the order in which a signal is answered; `previous`,
//! in it, passes on what is not ours. `fault` is the fault as a value; `context` reads the
//! processor's registers; `probe` tries to read, write and copy; [`table`] says who answers for
//! which addresses; `mapped` keeps a truncated file from killing those who work on it in place;
//! [`region`] is memory whose pages can be closed, [`uses`] what that is good for; `stack` gives a
//! thread a stack to handle its own overflow on; [`maps`] is the kernel's list of what is mapped;
//! [`explain`] says what most likely went wrong;
//! `sys` wraps the calls that are not safe.
//!
//! # Not with signal-hook
//!
//! signal-hook refuses SIGSEGV, and rightly: its actions run whatever caused the signal, without
//! the registers, on the stack that may just have overflowed. A fault needs all three.

mod context;
pub mod explain;
mod fault;
mod handler;
mod mapped;
pub mod maps;
mod probe;
pub mod region;
mod stack;
mod sys;
pub mod table;
pub mod uses;

pub use fault::{Access, Cause, Fault};
pub use handler::{Guard, install};
pub use mapped::FileWatch;
pub use probe::CutShort;
pub use stack::AltStack;
