//! A stack to handle signals on: sigaltstack(2).
//!
//! When a thread's stack overflows, there is no room left on it for the handler. The kernel then
//! looks for an alternate stack, and kills the process if there is none. Rust gives each thread
//! it starts one of a few KiB, enough for its own message; a handler that is chained to others
//! wants more. A thread that C code started has none at all.

use std::ffi::c_void;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::ptr::NonNull;

use ipc_common::{Error, PageSize, Result};

use crate::sys;

/// Bytes for the handlers, beside what the kernel's own frame takes.
const ROOM: usize = 64 * 1024;

/// An alternate stack for the calling thread, until dropped; then the one before it is back.
///
/// ```text
///   memory                                                    memory + len
///     | guard page: PROT_NONE |  64 KiB and the signal frame        |
///                             ◄─────────── grows downwards ─────────┤
/// ```
///
/// A handler that needs more runs into the guard page and kills the process, rather than
/// overwriting what lies below.
///
/// Each thread that asks gets one of its own. Keep it in a local variable of the function that the
/// thread runs: it cannot leave the thread. If several are in use on one thread, they are to be
/// dropped in reverse order; in another, the memory of one stays mapped for good.
///
/// ```
/// let stack = segv_guard::AltStack::for_this_thread()?;
/// assert!(stack.room() >= 64 * 1024);
/// # Ok::<(), ipc_common::Error>(())
/// ```
#[must_use = "the stack is taken away again when this is dropped"]
pub struct AltStack {
    memory: NonNull<c_void>,
    mapped: NonZeroUsize,
    guard: usize,
    before: libc::stack_t,
    /// The kernel keeps an alternate stack by thread.
    not_send: PhantomData<*mut ()>,
}

impl AltStack {
    /// Maps a stack and makes it the calling thread's alternate stack.
    ///
    /// # Errors
    ///
    /// `ENOMEM` from mmap(2); `EPERM` from sigaltstack(2) if the thread is just now handling a
    /// signal on an alternate stack.
    pub fn for_this_thread() -> Result<AltStack> {
        let guard = PageSize::system().bytes();
        let room = (ROOM + sys::signal_frame_size()).next_multiple_of(guard);
        let mapped = NonZeroUsize::MIN.saturating_add(guard + room - 1);
        let memory = sys::map_stack(mapped, guard)
            .map_err(|errno| Error::new("mmap", errno, "an alternate stack"))?;
        let mut stack = AltStack { memory, mapped, guard, before: none(), not_send: PhantomData };
        // SAFETY: the memory is new, and stays until `drop` has put another in its place.
        match unsafe { sys::alternate_stack(Some(&stack.as_kernel())) } {
            Ok(before) => stack.before = before,
            // `drop` finds that the thread has another stack, and must not leave this one mapped.
            Err(errno) => {
                stack.release();
                std::mem::forget(stack);
                return Err(Error::new("sigaltstack", errno, "an alternate stack").with_remedy(
                    "this thread is handling a signal on its alternate stack; ask before or after",
                ));
            }
        }
        Ok(stack)
    }

    /// How many bytes handlers and the kernel's frames have, without the guard page.
    pub fn room(&self) -> usize {
        self.mapped.get() - self.guard
    }

    fn as_kernel(&self) -> libc::stack_t {
        // SAFETY: one page into a mapping that is longer than that.
        let bottom = unsafe { self.memory.byte_add(self.guard) };
        libc::stack_t { ss_sp: bottom.as_ptr(), ss_flags: 0, ss_size: self.room() }
    }

    fn release(&self) {
        // SAFETY: our own mapping, which the thread does not use as its stack.
        let _ = unsafe { sys::unmap(self.memory, self.mapped) };
    }
}

impl Drop for AltStack {
    fn drop(&mut self) {
        // SAFETY: nothing is changed.
        let current = unsafe { sys::alternate_stack(None) };
        let is_ours = current.is_ok_and(|current| current.ss_sp == self.as_kernel().ss_sp);
        // Somebody has put another stack on top, and may put ours back later: so it stays mapped.
        if !is_ours {
            return;
        }
        // SAFETY: whoever installed it before us has, by the same rule, left it mapped. A handler
        // that is running on ours makes the kernel refuse, and it stays.
        if unsafe { sys::alternate_stack(Some(&self.before)) }.is_ok() {
            self.release();
        }
    }
}

impl fmt::Debug for AltStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AltStack({:p}, {} bytes)", self.as_kernel().ss_sp, self.room())
    }
}

fn none() -> libc::stack_t {
    libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 }
}
