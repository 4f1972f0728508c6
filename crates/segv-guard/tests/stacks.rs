//! Stacks that overflow, and stacks to handle that on.

mod support;

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering::SeqCst};
use std::thread;

use ipc_common::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use nix::sys::wait::WaitStatus;
use segv_guard::{AltStack, Cause, install};
use support::{heard_from_child, in_child};

testkit::cases! {
    rusts_message_about_the_main_threads_stack_is_still_printed;
    rusts_message_about_another_threads_stack_is_still_printed;
    rusts_message_is_still_printed_from_a_stack_of_ours;
    a_thread_without_an_alternate_stack_can_probe;
    a_thread_without_an_alternate_stack_dies_of_its_overflow;
    handlers_run_on_the_stack_that_the_thread_asked_for;
    below_an_alternate_stack_lies_a_page_that_cannot_be_touched;
    a_handler_that_outgrows_the_alternate_stack_kills_instead_of_overwriting;
    dropping_an_alternate_stack_puts_the_one_before_back;
    dropped_in_the_wrong_order_no_stack_is_unmapped_while_it_may_come_back;
    in_a_handler_on_an_alternate_stack_another_is_refused;
}

#[expect(unconditional_recursion, reason = "that is the test")]
fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    overflow(depth + 1) + frame[0]
}

#[derive(Clone, Copy)]
enum Where {
    Main,
    Thread,
}

fn overflow_in_child(at: Where, guarded: bool, own_stack: bool) -> (WaitStatus, String) {
    heard_from_child(move || {
        if guarded {
            install().unwrap();
        }
        let work = move || {
            let _stack = own_stack.then(|| AltStack::for_this_thread().unwrap());
            overflow(0);
        };
        match at {
            Where::Main => work(),
            Where::Thread => {
                let thread = thread::Builder::new().name("deep".into());
                thread.spawn(work).unwrap().join().unwrap();
            }
        }
        0
    })
}

/// The same end and the same words, apart from the thread's number.
fn same_message(at: Where, own_stack: bool) {
    let (status, message) = overflow_in_child(at, true, own_stack);
    let name = if matches!(at, Where::Main) { "main" } else { "deep" };
    assert!(message.contains(&format!("thread '{name}'")), "{status:?} {message}");
    assert!(message.contains("has overflowed its stack"), "{status:?} {message}");
    let (without, told) = overflow_in_child(at, false, false);
    let words = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    assert_eq!(words(&message), words(&told));
    let signal = |status| match status {
        WaitStatus::Signaled(_, signal, _) => Some(signal),
        _ => None,
    };
    assert_eq!((signal(status), signal(without)), (Some(Signal::SIGABRT), Some(Signal::SIGABRT)));
}

fn rusts_message_about_the_main_threads_stack_is_still_printed() {
    same_message(Where::Main, false);
}

fn rusts_message_about_another_threads_stack_is_still_printed() {
    same_message(Where::Thread, false);
}

fn rusts_message_is_still_printed_from_a_stack_of_ours() {
    same_message(Where::Main, true);
    same_message(Where::Thread, true);
}

/// The calling thread's alternate stack; or, with `Some`, another in its place.
fn alternate_stack(new: Option<libc::stack_t>) -> libc::stack_t {
    let mut old = MaybeUninit::uninit();
    let pointer = new.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the only `new` is "none"; `old` has room.
    unsafe {
        assert_eq!(libc::sigaltstack(pointer, old.as_mut_ptr()), 0);
        old.assume_init()
    }
}

fn without_alternate_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(|| {
        let none = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        alternate_stack(Some(none));
        work()
    });
    thread.join().unwrap()
}

fn a_thread_without_an_alternate_stack_can_probe() {
    let guard = install().unwrap();
    // SAFETY: no Rust value is at null.
    let fault = without_alternate_stack(move || unsafe { guard.read_byte(ptr::null()) });
    assert_eq!(fault.unwrap_err().cause(), Cause::Unmapped);
}

fn a_thread_without_an_alternate_stack_dies_of_its_overflow() {
    let status = in_child(|| {
        install().unwrap();
        without_alternate_stack(|| overflow(0)) as i32
    });
    assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGSEGV, _)), "{status:?}");
}

static STOOD_AT: AtomicUsize = AtomicUsize::new(0);

extern "C" fn where_am_i(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
    let local = 0_u8;
    STOOD_AT.store((&raw const local).addr(), SeqCst);
}

fn handle_with(handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void)) {
    let action = SigAction::new(SigHandler::SigAction(handler), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handlers of this file do nothing that a handler may not.
    unsafe { sigaction(Signal::SIGSEGV, &action) }.unwrap();
    // On top of it, ours, which has SA_ONSTACK.
    install().unwrap();
}

fn handlers_run_on_the_stack_that_the_thread_asked_for() {
    handle_with(where_am_i);
    let stack = AltStack::for_this_thread().unwrap();
    let bottom = alternate_stack(None).ss_sp.addr();
    raise(Signal::SIGSEGV).unwrap();
    assert!((bottom..bottom + stack.room()).contains(&STOOD_AT.load(SeqCst)));
}

fn below_an_alternate_stack_lies_a_page_that_cannot_be_touched() {
    let guard = install().unwrap();
    let stack = AltStack::for_this_thread().unwrap();
    let bottom = alternate_stack(None).ss_sp.cast::<u8>();
    // SAFETY: the guard page is nobody's, and nobody uses the lowest byte of the stack now.
    unsafe {
        let fault = guard.write_byte(bottom.wrapping_sub(1), 1).unwrap_err();
        assert_eq!(fault.cause(), Cause::Protection);
        assert_eq!(guard.write_byte(bottom, 1), Ok(()));
        assert_eq!(guard.write_byte(bottom.wrapping_add(stack.room() - 1), 1), Ok(()));
    }
}

extern "C" fn greedy(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
    overflow(0);
}

fn a_handler_that_outgrows_the_alternate_stack_kills_instead_of_overwriting() {
    let status = in_child(|| {
        handle_with(greedy);
        let _stack = AltStack::for_this_thread().unwrap();
        raise(Signal::SIGSEGV).unwrap();
        0
    });
    assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGSEGV, _)), "{status:?}");
}

/// Whether the memory of a stack is still there.
fn is_mapped(stack: libc::stack_t) -> bool {
    // SAFETY: nobody uses the lowest byte of these stacks.
    unsafe { install().unwrap().read_byte(stack.ss_sp.cast()) }.is_ok()
}

fn dropping_an_alternate_stack_puts_the_one_before_back() {
    let rusts = alternate_stack(None);
    let one = AltStack::for_this_thread().unwrap();
    let first = alternate_stack(None);
    let two = AltStack::for_this_thread().unwrap();
    let second = alternate_stack(None);
    assert!(first.ss_sp != rusts.ss_sp && second.ss_sp != first.ss_sp);
    drop(two);
    assert!(!is_mapped(second) && alternate_stack(None).ss_sp == first.ss_sp);
    drop(one);
    assert!(!is_mapped(first) && alternate_stack(None).ss_sp == rusts.ss_sp);
    assert!(is_mapped(rusts));
}

fn dropped_in_the_wrong_order_no_stack_is_unmapped_while_it_may_come_back() {
    let one = AltStack::for_this_thread().unwrap();
    let first = alternate_stack(None);
    let two = AltStack::for_this_thread().unwrap();
    drop(one);
    assert!(is_mapped(first), "`two` will put it back");
    drop(two);
    assert!(alternate_stack(None).ss_sp == first.ss_sp && is_mapped(first));
}

static ANSWER: AtomicI32 = AtomicI32::new(0);

extern "C" fn ask_for_another(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
    // Not for handlers, as it calls mmap and may allocate: but a raised signal interrupts nothing.
    let refused = AltStack::for_this_thread().map_err(|error| error.errno());
    ANSWER.store(refused.map_or_else(|errno| errno as i32, |_| -1), SeqCst);
}

fn in_a_handler_on_an_alternate_stack_another_is_refused() {
    handle_with(ask_for_another);
    let _stack = AltStack::for_this_thread().unwrap();
    raise(Signal::SIGSEGV).unwrap();
    assert_eq!(Errno::from_raw(ANSWER.load(SeqCst)), Errno::EPERM);
}
