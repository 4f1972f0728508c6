//! Signals: what is done about them, sending one again, and the stack they are handled on.

use std::ffi::{c_int, c_void};
use std::mem::{self, MaybeUninit};
use std::ptr;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow};

/// What is done on `signal` now; nothing is changed.
pub(crate) fn current_action(signal: c_int) -> nix::Result<libc::sigaction> {
    let mut action = MaybeUninit::uninit();
    // SAFETY: no new action is given; there is room for the current one, which a success fills.
    unsafe {
        Errno::result(libc::sigaction(signal, ptr::null(), action.as_mut_ptr()))?;
        Ok(action.assume_init())
    }
}

/// Whether `signal` now does what it does in a program that never asked for anything else.
pub(crate) fn is_default(signal: c_int) -> bool {
    matches!(current_action(signal), Ok(action) if action.sa_sigaction == libc::SIG_DFL)
}

/// Makes the process die of the next `signal`.
pub(crate) fn set_default(signal: c_int) {
    // SAFETY: `sigaction` is plain data, for which zeros are "the default, no flags, no mask".
    let action: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: a valid action. It cannot fail for a signal that had a handler.
    unsafe { libc::sigaction(signal, &action, ptr::null_mut()) };
}

/// Keeps all signals from the calling thread, until [`restore_signals`] is given what this returns.
pub(crate) fn block_signals() -> SigSet {
    // It cannot fail: nothing is invalid. Without a mask, nothing would be restored.
    SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK).unwrap_or(SigSet::empty())
}

/// Lets them come again.
pub(crate) fn restore_signals(before: &SigSet) {
    let _ = before.thread_set_mask();
}

/// Sends the calling thread `signal` once more, with the same `info`: whoever waits for this
/// process or traces it sees the original sender, code and address.
///
/// # Safety
///
/// - `info` is what the kernel passed to a handler that is still running.
pub(crate) unsafe fn queue_again(signal: c_int, info: *const libc::siginfo_t) {
    // SAFETY: the kernel copies `info`, which the caller vouches for. A process may send itself
    // any code.
    unsafe {
        libc::syscall(
            libc::SYS_rt_tgsigqueueinfo,
            libc::getpid(),
            libc::syscall(libc::SYS_gettid),
            signal,
            info,
        )
    };
}

/// Calls a handler as the kernel would have.
///
/// # Safety
///
/// - `handler` and `has_info` are those of an action the kernel accepted, neither `SIG_DFL` nor
///   `SIG_IGN`; the rest are the arguments of a handler that is still running.
pub(crate) unsafe fn call(
    handler: libc::sighandler_t,
    has_info: bool,
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    type WithInfo = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
    type Plain = extern "C" fn(c_int);
    if has_info {
        // SAFETY: whoever installed it said by SA_SIGINFO that it is such a function.
        let function: WithInfo = unsafe { mem::transmute(handler) };
        function(signal, info, context);
    } else {
        // SAFETY: and here, by leaving SA_SIGINFO out, that it is such a one.
        let function: Plain = unsafe { mem::transmute(handler) };
        function(signal);
    }
}

/// The alternate stack of the calling thread; `stack`, if given, takes its place.
///
/// # Safety
///
/// - The memory of `stack` stays mapped and unused until another takes its place.
pub(crate) unsafe fn alternate_stack(stack: Option<&libc::stack_t>) -> nix::Result<libc::stack_t> {
    let mut old = MaybeUninit::uninit();
    let new = stack.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `new` is null or a valid stack by the caller's promise; `old` has room, and is
    // filled by a success.
    unsafe {
        Errno::result(libc::sigaltstack(new, old.as_mut_ptr()))?;
        Ok(old.assume_init())
    }
}

/// How much of its stack a handler's frame may take on this processor: the registers of its vector
/// units are saved there. 0 from a kernel that does not say.
pub(crate) fn signal_frame_size() -> usize {
    /// linux/auxvec.h; since Linux 5.14 on x86-64, earlier on aarch64.
    const AT_MINSIGSTKSZ: libc::c_ulong = 51;
    // SAFETY: getauxval takes a number and answers 0 to those it does not know.
    unsafe { libc::getauxval(AT_MINSIGSTKSZ) as usize }
}
