//! A file truncated under a mapping: the one place of this crate that deals with it.
//!
//! A mapping is a promise about addresses, not about the file. Anyone who may write the file may
//! also shorten it, and from then on each touch of a page that lies wholly past the new end raises
//! SIGBUS (mmap(2)), which kills the process. That is no undefined behaviour, and nothing of the
//! file is lost; but it is a rude end.
//!
//! Three things are done about it here:
//! - a range past the end is refused when it is mapped, unless it is
//!   [asked for by name](super::MapOptions::allow_past_end);
//! - those who hold the file as well as the mapping look at the length again before each access
//!   ([`still_reaches`]), which leaves a window of nanoseconds, not of days;
//! - every view is handed out by [`Mapping::view`](super::Mapping::view) or
//!   [`Mapping::write_view`](super::Mapping::write_view), so there are two doors to guard.
//!
//! What is left, the truncation between the look and the touch, cannot be closed with a check. The
//! crate `segv-guard` turns the SIGBUS of that window into an error.

use std::os::fd::AsFd;

use ipc_common::{Errno, Error, Result};

use crate::open::regular;
use crate::sys;

/// The error for bytes up to `end` of a file that has only `size`.
pub(crate) fn past_end(call: &'static str, name: String, end: u64, size: u64) -> Error {
    let about = format!("{name}: up to byte {end}");
    Error::refused(call, Errno::ERANGE, about).with_remedy(format!(
        "the file has {size} bytes; touching what lies behind them would be SIGBUS"
    ))
}

/// Whether the file still has the first `end` bytes.
///
/// # Errors
///
/// `ERANGE` if it does not; those of fstat(2).
pub fn still_reaches(file: impl AsFd, end: u64) -> Result<()> {
    let size = regular("fstat", file.as_fd())?;
    if size >= end { Ok(()) } else { Err(past_end("fstat", sys::name_of(file), end, size)) }
}
