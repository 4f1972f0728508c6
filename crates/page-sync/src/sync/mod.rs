//! msync over any bytes, and what an error means for what comes after it. Slide "msync".
//!
//! # What the calls promise
//!
//! | call | here | when it has returned |
//! |---|---|---|
//! | `msync(MS_SYNC)` | [`PageFile::sync`] with [`Msync::SYNC`] | the pages of the range are on the device, and it was told to keep them; so is what is needed to find them (the file's length) |
//! | `msync(MS_ASYNC)` | … [`Msync::ASYNC`] | nothing. Since Linux 2.6.19 the call does nothing: dirty pages are written after a while anyway (msync(2)) |
//! | `MS_INVALIDATE` | … [`Msync::invalidate`] | on Linux: no page of the range was locked (`EBUSY`). Mappings of a file are the page cache itself, so there are no other copies to invalidate |
//! | `fdatasync` | [`PageFile::fdatasync`] | as MS_SYNC, for the whole file, and for what was written by write(2), too |
//! | `fsync` | [`PageFile::fsync`] | and the rest of what the file system knows of it: times, mode, owner |
//! | `sync_file_range` | [`PageFile::write_out`] | the pages were *given* to the device. It may still have them in its own cache, and the file system need not know where they are |
//!
//! None of them makes the *name* of a new file durable: that is [`durable`](crate::durable). And
//! all of them believe the device. One that lies about its cache is beyond any program.
//!
//! # After an error
//!
//! When a page cannot be written, the kernel marks it clean all the same (else it would fill memory
//! with what can never be written), and remembers that there was an error. The next sync of each
//! opening of the file reports it (fsync(2), since Linux 4.13; a counter named errseq_t), **once**.
//! The sync after that finds clean pages, writes nothing, and succeeds. So "try again until it
//! works" loses data without a word: what PostgreSQL's developers found out in 2018, and since then
//! treat a failed fsync as a crash.
//!
//! ```text
//!   store ──► page dirty ──► msync: the device fails ──► EIO, page CLEAN, in memory only
//!                                                          │
//!              may be read back as it was before ◄── evicted, at any time
//!                                                          │
//!                              msync again: nothing to do ─┴─► 0, "success"
//! ```
//!
//! Here an error of that kind *sticks* to the file object, as a [`Loss`]: every later sync of it,
//! by whichever call and from whichever thread, still does its work (other pages may be saved by
//! it), and is an error all the same. There are two ways out:
//!
//! - [`PageFile::rewrite`] stores every page anew from a source of the caller's own and syncs; when
//!   that has worked, the loss is made good;
//! - to drop the file object and open the file again: whoever does that has decided to believe
//!   whatever the file holds then.
//!
//! # Limits
//!
//! - The kernel's report goes to an *opening* of the file. A child made by fork(2) shares ours: if
//!   it syncs, the report may go to it. Let it open the file itself.
//! - An error that happened and was reported before we opened the file is not reported to us.
//!   (One that nobody was told of is, unless the file has left the kernel's memory meanwhile.)
//! - Errors of the device are noticed by a call that *waits*: not by [`Msync::ASYNC`].
//!
//! # Layout
//!
//! `how` is the type of msync's flags; `range` msync over bytes; `whole` fdatasync, fsync and
//! sync_file_range; `health` keeps the loss, in an order that loom has proved; `loss` says what was
//! lost, and `rewrite` makes it good.

mod health;
mod how;
mod loss;
mod range;
mod rewrite;
mod whole;

pub(crate) use health::Health;
pub use how::Msync;
pub use loss::Loss;

#[cfg(doc)]
use crate::file::PageFile;
