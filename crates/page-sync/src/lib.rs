//! Pages and msync: what is in memory, what is in the file, what is on the disk.
//! Slides "Memory mapped files and virtual memory", "sysconf", "Creating page-sized memory mapped
//! segments" and "msync".
//!
//! ```text
//!   a store ──► the page in memory, dirty ──► the file: every process sees it at once
//!                        │
//!                        │ msync(MS_SYNC), fdatasync, or some seconds later by itself
//!                        ▼
//!               the device's own cache ──► flushed ──► the disk: it is there after a power cut
//! ```
//!
//! # Layout
//!
//! | module | what it is | slide |
//! |---|---|---|
//! | [`mod@file`] | files of exactly so many pages | "sysconf: Creating page-sized …" |
//! | [`sync`] | msync over any bytes, and what an error means for what comes after it | "msync" |
//! | [`durable`] | a new file's name on the disk; a whole file replaced | – |
//! | [`inspect`] | what the kernel says about a page, and what each source is true for | – |
//! | [`picture`] | a file's pages as a picture | "Memory mapped files and virtual memory" |
//! | `power_cut` | a disk whose power is cut (feature `power-cut`) | "How do mmap and POSIX shared memory compare?" |
//! | `sys` | all that is unsafe | – |

pub mod durable;
pub mod file;
pub mod inspect;
pub mod picture;
#[cfg(feature = "power-cut")]
pub mod power_cut;
pub mod sync;
mod sys;
