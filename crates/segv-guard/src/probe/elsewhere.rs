//! Machines without an assembly routine of ours: the kernel copies, by process_vm_readv(2) and
//! process_vm_writev(2) on ourselves. A system call or two for each 4 KiB, and no more than
//! `EFAULT` when it fails; but no fault, and so no handler.

use super::CutShort;
use crate::fault::{Access, Fault};
use crate::sys;

/// # Safety
///
/// As for `landing::try_copy`.
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, len: usize) -> Result<(), CutShort> {
    // By way of memory that cannot fault, so that a failed call is the fault of one side.
    let mut block = [0; 4096];
    let mut good = 0;
    while good < len {
        let block = &mut block[..4096.min(len - good)];
        let (from, to) = (from.wrapping_add(good), to.wrapping_add(good));
        let stopped = |good, address, access| {
            move |errno: nix::errno::Errno| CutShort {
                good,
                fault: Fault::of_errno(errno as i32, address, access),
            }
        };
        // SAFETY: the caller's promise for `from`.
        let read = unsafe { sys::kernel_read(from, block) }.map_err(stopped(
            good,
            from.addr(),
            Access::Read,
        ))?;
        // SAFETY: the caller's promise for `to`.
        let written = unsafe { sys::kernel_write(&block[..read], to) }.map_err(stopped(
            good,
            to.addr(),
            Access::Write,
        ))?;
        good += written;
    }
    Ok(())
}
