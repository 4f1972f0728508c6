//! A file truncated under a mapping: the one place of this crate that says what is done about it.
//! Slide "Illegal Memory Access".
//!
//! A mapping is a promise about addresses, not about the file. Anyone who may write the file may
//! also shorten it, and from then on each touch of a page that lies wholly past the new end raises
//! SIGBUS (mmap(2)), which by default ends the process. A look at the length before each access
//! ([`still_reaches`]) cannot help: the file may be cut between the look and the touch.
//!
//! So the first mapping installs the handler of [`segv_guard`], and:
//!
//! | what is done past the end | what becomes of it |
//! |---|---|
//! | a copy: `read`, `write`, `text`, … of a view | the error `EIO`, and [`Shrunk`] says how many bytes are good. The mapping stays in use: if the file grows, so does what can be copied |
//! | in place: `load_u32`, the atomics | zeros take the place of the missing pages, in this process only; the mapping is **spoilt** |
//! | anything with a spoilt mapping | `EIO` ([`Mapping::check`](super::Mapping::check)); map the file anew |
//!
//! A spoilt mapping says so *before* anyone can take the zeros for the file, and a call that was
//! under way meanwhile says so at its end: no success is reported of a store that went nowhere. Only
//! who holds an `&AtomicU32` has to ask for himself.
//!
//! # Limits
//!
//! - **The last page.** Bytes past the end, in the file's last page, can be touched without a fault:
//!   zeros are read, and what is stored is lost. No handler hears of it. Whoever has the file as
//!   well asks [`still_reaches`] *after* the access; if the file has those bytes then, it was not
//!   cut, unless it has grown again meanwhile, with zeros in the hole.
//! - **Good bytes are bytes of good pages**: some at the end of the last of them may be such zeros.
//! - **A disk that fails** while a page is read, and a tmpfs that is full, raise the same signal and
//!   look the same here.
//! - **System calls** that are given the memory (a write(2) from it) fail with `EFAULT`; that is
//!   the kernel's doing, with or without us.
//! - **Huge pages** of hugetlbfs cannot be replaced by small ones: past the end of such a file, what
//!   is touched in place is SIGBUS, as ever. Copies have their net.
//! - On processors other than x86-64 and aarch64 there is no net below the copies, and they spoil
//!   the mapping as atomics do.
//! - [`MapOptions::unguarded`](super::MapOptions::unguarded) leaves all of this out, and each touch
//!   past the end is SIGBUS again.
//! - A handler that somebody installs *later*, without passing on what it does not know, takes the
//!   signal away from us.

use std::os::fd::AsFd;

use ipc_common::{Errno, Error, Result};

use crate::open::regular;
use crate::sys;

/// What an error says about a file that was cut shorter while somebody used its mapping.
///
/// ```
/// use mmap_file::MapOptions;
/// use mmap_file::mapping::truncation::Shrunk;
/// # let folder = std::env::temp_dir().join(format!("mmap-shrunk-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// # let path = folder.join("file");
/// # let page = ipc_common::PageSize::system().bytes();
///
/// std::fs::write(&path, vec![b'x'; 3 * page])?;
/// let file = std::fs::File::options().read(true).write(true).open(&path)?;
/// let mapping = MapOptions::new().map(&file)?;
/// file.set_len(page as u64)?; // somebody else, at any moment
///
/// let mut copy = vec![0; 3 * page];
/// let error = mapping.view()?.read(0, &mut copy).unwrap_err();
/// match Shrunk::of(&error) {
///     Some(shrunk) => assert_eq!(shrunk.good, page),
///     None => return Err(error.into()),
/// }
/// assert!(copy[..page].iter().all(|byte| *byte == b'x'));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// How many bytes, from the start of what was to be copied, were copied. 0 if the mapping is
    /// spoilt: then none can be trusted.
    pub good: usize,
}

impl Shrunk {
    /// `None` if the error is about something else.
    pub fn of(error: &Error) -> Option<Shrunk> {
        let good = error.good_bytes().filter(|_| error.errno() == Errno::EIO)?;
        Some(Shrunk { good })
    }
}

/// The error of a mapping in which zeros have taken the place of the file's pages.
pub(crate) fn spoilt(call: &'static str, mapping: String) -> Error {
    Error::refused(call, Errno::EIO, mapping)
        .with_remedy(
            "the file was cut shorter (or its device failed) while something was loaded or stored \
             past its end; zeros have taken the place of its last pages, and what was stored there \
             is lost; map the file anew",
        )
        .with_good_bytes(0)
}

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
