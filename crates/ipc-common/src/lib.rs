//! What every crate of the course needs: names for things that processes share, the size of a
//! page, errors that teach, and a way to look at memory that somebody else may be writing.
//!
//! # Layout
//!
//! | module | what it is | slide |
//! |---|---|---|
//! | [`key`] | `key_t`: private, raw, and packed by `ftok` | "POSIX Shared Memory" |
//! | [`page`] | the page size, rounding, which pages a range touches | "sysconf" |
//! | [`error`] | one error: call, errno by name, object, remedy | all of them |
//! | [`stack`] | the gap that a mapping must not be put into | – |
//! | [`state`] | where a user's own keys and notes live | – |
//! | [`view`] | memory shared with strangers (feature `view`, on by default) | "Shared Memory" |
//! | [`note`] | the text that the demos pass, and what a reader may find | "Run demo" |
//! | `cli` | what the course's binaries share (feature `cli`) | – |
//!
//! The labs use this crate without `view`: there, building it is the exercise.
//!
//! Linux only, x86-64 and aarch64 first.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "this course teaches Linux's memory: run it on Linux, in a virtual machine, or under WSL2 \
     (and there not below /mnt/c, whose files cannot be mapped shared)"
);

#[cfg(feature = "cli")]
pub mod cli;
pub mod error;
pub mod key;
#[cfg(feature = "view")]
pub mod note;
pub mod page;
mod shown;
pub mod stack;
pub mod state;
#[cfg(feature = "view")]
pub mod view;

pub use error::{Error, Result};
pub use key::{Key, Project};
pub use nix::errno::Errno;
pub use page::PageSize;
