//! Who had the signal before, and passing on what is not ours.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal};

use crate::fault::{is_of_the_instruction, will_come_again};
use crate::sys;

/// The action that ours replaced, in the pieces needed for doing as it did.
pub(super) struct Previous {
    /// `SIG_DFL`, `SIG_IGN`, or a function.
    handler: libc::sighandler_t,
    flags: SaFlags,
    mask: SigSet,
    /// Whether a handler with `SA_RESETHAND` has had its one signal.
    spent: AtomicBool,
}

/// Read by the handler without a lock. What they point at is never freed, since a handler may be
/// looking at it; each is set twice in the life of a process.
static BEFORE_SEGV: AtomicPtr<Previous> = AtomicPtr::new(ptr::null_mut());
static BEFORE_BUS: AtomicPtr<Previous> = AtomicPtr::new(ptr::null_mut());

fn place(signal: c_int) -> &'static AtomicPtr<Previous> {
    if signal == libc::SIGBUS { &BEFORE_BUS } else { &BEFORE_SEGV }
}

impl Previous {
    /// The action as it is now.
    pub(super) fn find(signal: Signal) -> nix::Result<Previous> {
        let action = sys::current_action(signal as c_int)?;
        let flags = SaFlags::from_bits_retain(action.sa_flags);
        // SAFETY: the kernel and the C library have filled the mask.
        let mask = unsafe { SigSet::from_sigset_t_unchecked(action.sa_mask) };
        Ok(Previous { handler: action.sa_sigaction, flags, mask, spent: AtomicBool::new(false) })
    }

    /// From here on, signals are passed on to this one.
    pub(super) fn remember(self, signal: Signal) -> &'static Previous {
        let previous = Box::leak(Box::new(self));
        place(signal as c_int).store(previous, Ordering::Release);
        previous
    }

    /// Whether a system call goes on after this signal. One that is ignored interrupts none.
    pub(super) fn restarts_calls(&self) -> bool {
        !self.is_handler() || self.flags.contains(SaFlags::SA_RESTART)
    }

    fn is_handler(&self) -> bool {
        self.handler != libc::SIG_DFL && self.handler != libc::SIG_IGN
    }

    /// Whether there is a function to call, and this is its turn.
    fn takes_this_one(&self) -> bool {
        let one_shot = self.flags.contains(SaFlags::SA_RESETHAND);
        self.is_handler() && !(one_shot && self.spent.swap(true, Ordering::Relaxed))
    }

    /// # Safety
    ///
    /// - The arguments are those of a handler that is still running.
    unsafe fn call(&self, signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        // What the kernel would have blocked. It is unblocked when our own handler returns, or by
        // a siglongjmp(3), just as if the kernel had blocked it.
        let mut blocked = self.mask;
        if !self.flags.contains(SaFlags::SA_NODEFER) {
            block(&mut blocked, signal);
        }
        let _ = blocked.thread_block();
        let has_info = self.flags.contains(SaFlags::SA_SIGINFO);
        // SAFETY: the kernel accepted this handler with these flags; the rest is the caller's
        // promise.
        unsafe { sys::call(self.handler, has_info, signal, info, context) };
    }
}

impl From<&SigAction> for Previous {
    fn from(action: &SigAction) -> Previous {
        let handler = match action.handler() {
            SigHandler::SigDfl => libc::SIG_DFL,
            SigHandler::SigIgn => libc::SIG_IGN,
            SigHandler::Handler(function) => function as *const () as libc::sighandler_t,
            SigHandler::SigAction(function) => function as *const () as libc::sighandler_t,
        };
        let (flags, mask) = (action.flags(), action.mask());
        Previous { handler, flags, mask, spent: AtomicBool::new(false) }
    }
}

/// Does with a signal what would have been done without us.
///
/// # Safety
///
/// - The arguments are those of a handler that is still running.
pub(super) unsafe fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the caller's promise.
    let code = unsafe { (*info).si_code };
    // SAFETY: null, or what `remember` has leaked.
    let previous = unsafe { place(signal).load(Ordering::Acquire).as_ref() };
    match previous {
        Some(previous) if previous.takes_this_one() => {
            // SAFETY: the caller's promise.
            unsafe { previous.call(signal, info, context) };
        }
        // Ignoring a fault of one's own is not possible: the kernel kills.
        Some(previous)
            if previous.handler == libc::SIG_IGN && !is_of_the_instruction(signal, code) => {}
        _ => sys::set_default(signal),
    }
    // Now the instruction runs again. If it faults again, and the signal is nobody's, the process
    // dies of just the fault it has made: same code, address and program counter. `raise` would
    // lose all three. A signal that will not come by itself is sent again, by us.
    if !will_come_again(signal, code) && sys::is_default(signal) {
        // Blocked, it is not delivered here and now, but when the handler returns: with the
        // program counter where it was.
        let mut only = SigSet::empty();
        block(&mut only, signal);
        let _ = only.thread_block();
        // SAFETY: the caller's promise.
        unsafe { sys::queue_again(signal, info) };
    }
}

fn block(set: &mut SigSet, signal: c_int) {
    // No unwrap: there is no panic in a handler.
    if let Ok(signal) = Signal::try_from(signal) {
        set.add(signal);
    }
}
