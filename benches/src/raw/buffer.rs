//! The buffer that all contenders share.

use ipc_common::{PageSize, Result};

use super::{Map, store_each};

/// A buffer that begins with a page and has been touched: where a buffer lies against the other end
/// of a copy, modulo 4096, makes a difference of a third, and its first touch is a page fault. All
/// contenders use the same one, in turns.
#[derive(Debug)]
pub struct Buffer(Map);

impl Buffer {
    /// Of so many bytes.
    ///
    /// # Errors
    ///
    /// Those of mmap(2).
    pub fn new(len: usize) -> Result<Buffer> {
        let memory = Map::anonymous(len, libc::MAP_PRIVATE)?;
        // SAFETY: all of it is ours and writable.
        unsafe { store_each(memory.start(), len, PageSize::system().bytes()) };
        Ok(Buffer(memory))
    }

    /// Where it begins.
    #[inline]
    pub fn start(&self) -> *mut u8 {
        self.0.start()
    }

    /// The first `len` bytes.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    ///
    /// # Safety
    ///
    /// Nobody else uses the buffer as long as this reference lives.
    #[expect(clippy::mut_from_ref, reason = "the contenders share it, in turns")]
    #[inline]
    pub unsafe fn part(&self, len: usize) -> &mut [u8] {
        assert!(len <= self.0.len());
        // SAFETY: inside the mapping, which is readable and writable; the rest is the caller's.
        unsafe { std::slice::from_raw_parts_mut(self.0.start(), len) }
    }
}
