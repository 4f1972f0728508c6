//! What a caught fault is good for. After Andrew Appel and Kai Li, "Virtual memory primitives for
//! user programs" (1991): with *protect a page*, *catch the fault*, *open the page*, a program can
//! build what otherwise only a kernel has.
//!
//! | use | pages are | a fault means |
//! |---|---|---|
//! | [`Pager`] | closed until touched | fill the page, open it |
//! | [`WriteTracker`] | read-only until written | remember the page, open it |
//! | [`Snapshots`] | read-only until written | save the old page, open it |
//! | [`GuardedBuffer`] | open; the one behind it is closed | somebody ran over the end |
//!
//! All of them show their memory by views: many threads may use it at once, and fault on one page
//! at once.
//!
//! What the kernel itself does on a program's behalf does not fault, but fails: read(2) into a
//! page that is closed gives `EFAULT`, and no handler runs. Read into memory of one's own, and
//! copy.
//!
//! A child made by fork(2) goes on by itself, with a copy (of a [`Pager`]: with the very pages, but not
//! its thread). If the parent had several
//! threads, a page that another one had in hand just then stays in its hands there: to touch it
//! waits for ever. Fork when no other thread is at it, or call exec(2) next.
//!
//! A signal handler of the program's own must leave this memory alone, unless what it touches has
//! been opened: it may have interrupted the very thread that is about to open the page.

mod overflow;
mod pager;
mod snapshot;
mod written;

pub use overflow::{GuardedBuffer, OnOverflow, Overflow};
pub use pager::Pager;
pub use snapshot::{Snapshot, Snapshots};
pub use written::{Backend, WriteTracker};
