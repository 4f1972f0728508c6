//! shmget(2) and shmat(2).

use std::ptr::{self, NonNull};

use ipc_common::{Error, Result};

/// A System V segment without a key, attached, and marked for removal at once: it goes with its last
/// attachment, also if that is by kill -9. Detached on drop.
#[derive(Debug)]
pub struct Segment {
    start: NonNull<u8>,
    len: usize,
}

impl Segment {
    /// Of so many bytes, which nobody has touched.
    ///
    /// # Errors
    ///
    /// Those of shmget(2) and shmat(2): `EINVAL` or `ENOSPC` for more than the limits allow.
    pub fn new(len: usize) -> Result<Segment> {
        Segment::attached(len).map(|[segment]| segment)
    }

    /// The same segment twice: at two addresses.
    ///
    /// # Errors
    ///
    /// As for [`Segment::new`].
    pub fn twice(len: usize) -> Result<[Segment; 2]> {
        Segment::attached(len)
    }

    fn attached<const N: usize>(len: usize) -> Result<[Segment; N]> {
        let about = || format!("{len} bytes");
        // SAFETY: numbers only.
        let id = unsafe { libc::shmget(libc::IPC_PRIVATE, len, libc::IPC_CREAT | 0o600) };
        if id < 0 {
            return Err(Error::last("shmget", about()));
        }
        let attach = || {
            // SAFETY: where the kernel likes.
            let start = unsafe { libc::shmat(id, ptr::null(), 0) };
            match NonNull::new(start.cast::<u8>()) {
                Some(at) if start.addr() != usize::MAX => Ok(Segment { start: at, len }),
                _ => Err(Error::last("shmat", about())),
            }
        };
        let attached: Result<Vec<Segment>> = (0..N).map(|_| attach()).collect();
        // SAFETY: IPC_RMID takes no buffer.
        unsafe { libc::shmctl(id, libc::IPC_RMID, ptr::null_mut()) };
        Ok(attached?.try_into().expect("there are N"))
    }

    /// Where it begins.
    #[inline]
    pub fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// How many bytes it has.
    #[expect(clippy::len_without_is_empty, reason = "a segment has at least one byte")]
    pub fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: attached by us, and nobody else has the address for longer than this lives.
        unsafe { libc::shmdt(self.start.as_ptr().cast()) };
    }
}
