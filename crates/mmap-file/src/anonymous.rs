//! Memory that belongs to no file, shared between parent and child. Slide "Shared Memory".

use ipc_common::view::WriteView;
use ipc_common::{Error, PageSize, Result};

use crate::mapping::{Mapping, Protection, Sharing, Window};
use crate::sys::{Memory, Pages, Request};

/// Zeroed memory that a child made by fork(2) shares with its parent (`MAP_SHARED |
/// MAP_ANONYMOUS`). It has no name: only whoever inherits it can have it, and an exec(2) drops it.
///
/// memmap2's `map_anon` is private: after a fork, parent and child no longer see each other's
/// changes.
///
/// ```
/// use mmap_file::Anonymous;
/// use nix::sys::wait::waitpid;
/// use nix::unistd::{ForkResult, fork};
///
/// let shared = Anonymous::new(4096)?;
/// // SAFETY: the child makes two calls that neither allocate nor lock, and ends without unwinding.
/// match unsafe { fork() }? {
///     ForkResult::Child => {
///         let written = shared.view().put_text(b"greetings from the child").is_ok();
///         // SAFETY: _exit ends the process and nothing else.
///         unsafe { libc::_exit(if written { 0 } else { 1 }) }
///     }
///     ForkResult::Parent { child } => {
///         waitpid(child, None)?;
///         assert_eq!(shared.view().text()?.to_string(), "greetings from the child");
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Anonymous(Mapping);

impl Anonymous {
    /// `len` bytes, all zero.
    ///
    /// # Errors
    ///
    /// `EINVAL` for no bytes; `ENOMEM` if there is no room, in the address space or in memory.
    pub fn new(len: usize) -> Result<Anonymous> {
        let request = Request {
            window: Window::new(0, len, PageSize::system())?,
            protection: Protection::ReadWrite,
            sharing: Sharing::Shared,
            populate: false,
        };
        let pages = Pages::anonymous(&request)
            .map_err(|errno| Error::new("mmap", errno, format!("{len} bytes, anonymous")))?;
        let memory = Memory::unguarded(pages, request.protection);
        Ok(Anonymous(Mapping::of(memory, Sharing::Shared)))
    }

    /// The bytes.
    pub fn view(&self) -> WriteView<'_> {
        self.0.write_view().expect("its protection is read and write, and nobody can change that")
    }

    /// How many bytes there are.
    #[expect(clippy::len_without_is_empty, reason = "a mapping has at least one byte")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
