//! The handler: one for the process, for SIGSEGV and SIGBUS.
//!
//! What it may do is little: the thread it interrupts may be holding any lock, in the middle of
//! any allocation. So there is no lock, no allocation and no formatting in here, nothing that
//! panics, and no system call unless a signal is passed on, a range's handler makes one, or zeros
//! are put in the place of a watched file's missing pages (`mapped`).

mod previous;

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use ipc_common::view::landing;
use ipc_common::{Error, Result};
use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::context::{Registers, settle};
use crate::fault::Fault;
use crate::mapped;
use crate::table::{self, Turn};
use previous::Previous;

/// The proof that the handler is installed: what the probes ask for. A copy proves as much.
#[derive(Clone, Copy, Debug)]
pub struct Guard(());

/// Installs the handler for SIGSEGV and SIGBUS. Doing it again, in whichever thread, changes
/// nothing; it cannot be undone, since copies on other threads may be relying on it.
///
/// What was installed before, Rust's own handler for stack overflows for one, gets every signal
/// that is not ours as if we were not there:
///
/// - **A genuine crash** dies as it would have: same signal, code, address and program counter.
///   (From the moment in which the signal has its default action back, by us or by Rust's handler,
///   until the process is gone, a fault on another thread is deadly too, a copy's included; then
///   that may be the one in the core.)
/// - **A signal that someone sent** is passed on with its sender. If nobody handles it, the process
///   dies of it. (Rust's handler takes a sent SIGSEGV for a fault that will come again at once. A
///   program that has only that handler lives on after the first one, and dies of the second; with
///   this one installed it dies of the first.)
/// - **`SA_RESETHAND`, `SA_NODEFER` and the mask** of an earlier handler are kept to;
///   `SA_ONSTACK` always holds: it runs on the alternate stack of a thread that has one.
///
/// Handlers installed *later* come first. One that passes on what it does not know
/// (`sigaction` gave it our address) fits in; one that does not makes every fault deadly again.
///
/// A child made by fork(2) keeps the handler. exec(2) resets it, as it does all handlers.
///
/// # Errors
///
/// Those of sigaction(2), which has none for these two signals unless a seccomp filter makes one.
#[inline]
pub fn install() -> Result<Guard> {
    static INSTALLED: OnceLock<Result<()>> = OnceLock::new();
    match INSTALLED.get_or_init(install_now) {
        Ok(()) => Ok(Guard(())),
        Err(error) => Err(error.clone()),
    }
}

#[cold]
fn install_now() -> Result<()> {
    [Signal::SIGSEGV, Signal::SIGBUS].into_iter().try_for_each(install_for)
}

fn install_for(signal: Signal) -> Result<()> {
    let failed = |errno| Error::new("sigaction", errno, signal.as_str());
    // First remembered, then replaced: the handler may be called before `sigaction` returns.
    let before = Previous::find(signal).map_err(failed)?.remember(signal);
    let mut flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK | SaFlags::SA_NODEFER;
    // A sent signal must not interrupt a system call that it would not have interrupted before.
    flags.set(SaFlags::SA_RESTART, before.restarts_calls());
    let ours = SigAction::new(SigHandler::SigAction(on_signal), flags, SigSet::empty());
    // SAFETY: `on_signal` is async-signal-safe; the handler it replaces is called by it with what
    // the kernel would have called it with.
    let replaced = unsafe { sigaction(signal, &ours) }.map_err(failed)?;
    // Another thread may have installed one between the two lines.
    Previous::from(&replaced).remember(signal);
    Ok(())
}

extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    settle();
    let errno = Errno::last_raw();
    // SAFETY: these are the arguments that the kernel calls a handler with, and this is one.
    unsafe {
        if !answered(info, context) {
            previous::pass_on(signal, info, context);
        }
    }
    Errno::set_raw(errno);
}

/// Whether the fault has an answer here, so that the thread can go on.
///
/// # Safety
///
/// - The arguments are the second and third of a handler that is still running.
unsafe fn answered(info: *const libc::siginfo_t, context: *mut c_void) -> bool {
    // SAFETY: the caller's promise.
    let Some(fault) = (unsafe { Fault::decode(info, context) }) else { return false };
    // SAFETY: the caller's promise; `decode` has let go of the registers.
    let mut registers = unsafe { Registers::of(context) };
    let range = table::find(&fault);
    let answered_by_range = |turn| range.as_ref().is_some_and(|range| range.answers(turn, &fault));
    // In this order: memory that is only to be made ready is no error for a copy. Otherwise a copy
    // that has a net asked for an error, so nobody who mends in place may take the fault from it.
    answered_by_range(Turn::BeforeCopies)
        || land(&fault, &mut registers)
        || answered_by_range(Turn::AfterCopies)
        || mapped::mends(&fault)
}

/// A copy of `ipc_common::view` or a probe: it returns the fault.
fn land(fault: &Fault, registers: &mut Registers<'_>) -> bool {
    let (pc, record) = (registers.program_counter(), registers.landing_record());
    // SAFETY: both come from the registers of the signal being handled on this thread, and the
    // answer is stored there.
    let Some(pad) = (unsafe { landing::land(pc, record, fault.to_record()) }) else { return false };
    registers.go_on_at(pad);
    true
}
