//! statx(2), for the one attribute that nothing else tells.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;

/// `STATX_ATTR_DAX` (Linux 5.8), which the libc crate lacks.
const ATTR_DAX: u64 = 0x0020_0000;

/// Whether the file is mapped right from persistent memory.
pub(crate) fn is_dax(fd: BorrowedFd<'_>) -> nix::Result<bool> {
    let mut found = MaybeUninit::<libc::statx>::uninit();
    // SAFETY: an empty path, ended by NUL; and room for what is found, which a success fills.
    unsafe {
        Errno::result(libc::statx(
            fd.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            libc::STATX_BASIC_STATS,
            found.as_mut_ptr(),
        ))?;
        Ok(found.assume_init().stx_attributes & ATTR_DAX != 0)
    }
}
