//! Other people's handlers: before ours, after ours, in need of a probe, or broken themselves.

mod support;

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write, pipe};
use std::process::Command;
use std::ptr::{self, NonNull};
use std::sync::Barrier;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering::SeqCst};
use std::thread;

use nix::errno::Errno;
use nix::sys::mman::{ProtFlags, mprotect};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use nix::sys::wait::WaitStatus;
use segv_guard::{Cause, Guard, install};
use support::{OPEN, PART, in_child, pages};

testkit::cases! {
    installing_twice_or_from_many_threads_is_installing_once;
    a_handler_before_ours_mends_what_is_no_copy;
    a_handler_before_ours_finds_blocked_what_it_asked_for;
    a_handler_without_siginfo_is_called_with_its_one_argument;
    a_one_shot_handler_gets_one_signal;
    a_handler_after_ours_that_passes_on_fits_in;
    a_handler_after_ours_that_does_not_makes_faults_deadly_again;
    a_handler_may_probe;
    a_handler_that_faults_ends_the_process;
    a_child_made_by_fork_is_guarded_too;
    a_program_made_by_exec_starts_without_our_handler;
    errno_is_as_it_was;
    an_ignored_signal_interrupts_no_system_call needs testkit::need::native;
}

type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

fn set(handler: SigHandler, flags: SaFlags, mask: &[Signal]) -> SigAction {
    let action = SigAction::new(handler, flags, mask.iter().copied().collect());
    // SAFETY: the handlers of this file use atomics and system calls only.
    unsafe { sigaction(Signal::SIGSEGV, &action) }.unwrap()
}

fn set_info(handler: Handler) -> SigAction {
    set(SigHandler::SigAction(handler), SaFlags::empty(), &[])
}

/// Reads null, by a probe.
fn probe(guard: Guard) -> Cause {
    // SAFETY: no Rust value is at null.
    unsafe { guard.read_byte(ptr::null()) }.unwrap_err().cause()
}

/// Faults without a net.
fn load(from: *const u8) -> u8 {
    // SAFETY: the cases pass memory of their own that a handler opens, or want to die of it.
    black_box(unsafe { from.read_volatile() })
}

fn died_of(signal: Signal, status: WaitStatus) -> bool {
    matches!(status, WaitStatus::Signaled(_, by, _) if by == signal)
}

fn installing_twice_or_from_many_threads_is_installing_once() {
    let started = Barrier::new(16);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                started.wait();
                assert_eq!(probe(install().unwrap()), Cause::Unmapped);
            });
        }
    });
    // Installed on top of itself, it would pass this on to itself for ever.
    let status = in_child(|| {
        install().unwrap();
        load(ptr::without_provenance(8)).into()
    });
    assert!(died_of(Signal::SIGSEGV, status), "{status:?}");
}

static CALLS: AtomicU32 = AtomicU32::new(0);
static CLOSED: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

extern "C" fn open_it(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    CALLS.fetch_add(1, SeqCst);
    assert!(signal == libc::SIGSEGV && !context.is_null());
    // SAFETY: the arguments of a handler; the page is the case's own.
    unsafe {
        assert_eq!((*info).si_addr().cast::<u8>(), CLOSED.load(SeqCst));
        mprotect(NonNull::new((*info).si_addr()).unwrap(), PART, OPEN).unwrap();
    }
}

fn closed_page() -> *mut u8 {
    let page = pages(ProtFlags::PROT_NONE);
    CLOSED.store(page, SeqCst);
    page
}

fn a_handler_before_ours_mends_what_is_no_copy() {
    set_info(open_it);
    let guard = install().unwrap();
    for round in 1..=3 {
        let page = closed_page();
        // SAFETY: a page of our own.
        let fault = unsafe { guard.read_byte(page) }.unwrap_err();
        assert_eq!(fault.cause(), Cause::Protection);
        assert_eq!(CALLS.load(SeqCst), round - 1, "a copy with a net is ours alone");
        assert_eq!(load(page), 0);
        assert_eq!(CALLS.load(SeqCst), round);
    }
}

static BLOCKED: AtomicU32 = AtomicU32::new(0);

extern "C" fn look_at_mask(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
    let mask = SigSet::thread_get_mask().unwrap();
    let bit = |signal, bit| if mask.contains(signal) { bit } else { 0 };
    BLOCKED.store(bit(Signal::SIGSEGV, 1) | bit(Signal::SIGUSR1, 2), SeqCst);
}

fn a_handler_before_ours_finds_blocked_what_it_asked_for() {
    let cases = [
        (SaFlags::empty(), vec![], 1),
        (SaFlags::SA_NODEFER, vec![], 0),
        (SaFlags::empty(), vec![Signal::SIGUSR1], 3),
        (SaFlags::SA_NODEFER, vec![Signal::SIGUSR1], 2),
    ];
    for (flags, mask, expected) in cases {
        // A child each: the guard is installed once in a process.
        let status = in_child(|| {
            set(SigHandler::SigAction(look_at_mask), flags, &mask);
            install().unwrap();
            raise(Signal::SIGSEGV).unwrap();
            let after = SigSet::thread_get_mask().unwrap();
            assert!(!after.contains(Signal::SIGSEGV) && !after.contains(Signal::SIGUSR1));
            BLOCKED.load(SeqCst) as i32
        });
        assert!(matches!(status, WaitStatus::Exited(_, code) if code == expected), "{status:?}");
    }
}

extern "C" fn count(signal: c_int) {
    CALLS.fetch_add(signal.unsigned_abs(), SeqCst);
}

fn a_handler_without_siginfo_is_called_with_its_one_argument() {
    set(SigHandler::Handler(count), SaFlags::empty(), &[]);
    install().unwrap();
    raise(Signal::SIGSEGV).unwrap();
    assert_eq!(CALLS.load(SeqCst), libc::SIGSEGV.unsigned_abs());
}

fn a_one_shot_handler_gets_one_signal() {
    let status = in_child(|| {
        set(SigHandler::Handler(count), SaFlags::SA_RESETHAND, &[]);
        let guard = install().unwrap();
        raise(Signal::SIGSEGV).unwrap();
        assert_eq!((CALLS.load(SeqCst), probe(guard)), (11, Cause::Unmapped));
        raise(Signal::SIGSEGV).unwrap();
        0
    });
    assert!(died_of(Signal::SIGSEGV, status), "{status:?}");
}

/// Ours, as a later handler knows it.
static OURS: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

extern "C" fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    CALLS.fetch_add(1, SeqCst);
    // SAFETY: `sigaction` gave this address, of a handler with SA_SIGINFO.
    let ours: Handler = unsafe { std::mem::transmute(OURS.load(SeqCst)) };
    ours(signal, info, context);
}

fn a_handler_after_ours_that_passes_on_fits_in() {
    let guard = install().unwrap();
    let SigHandler::SigAction(ours) = set_info(pass_on).handler() else { panic!("not ours") };
    OURS.store(ours as *mut c_void, SeqCst);
    assert_eq!((probe(guard), CALLS.load(SeqCst)), (Cause::Unmapped, 1));
    let again = install().unwrap();
    assert_eq!((probe(again), CALLS.load(SeqCst)), (Cause::Unmapped, 2), "not installed on top");
    let status = in_child(|| load(ptr::without_provenance(8)).into());
    assert!(died_of(Signal::SIGSEGV, status), "{status:?}");
}

fn a_handler_after_ours_that_does_not_makes_faults_deadly_again() {
    let status = in_child(|| {
        let guard = install().unwrap();
        set(SigHandler::SigDfl, SaFlags::empty(), &[]);
        probe(guard);
        0
    });
    assert!(died_of(Signal::SIGSEGV, status), "{status:?}");
}

static FOUND: AtomicI32 = AtomicI32::new(0);

extern "C" fn probe_and_open(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    if probe(install().unwrap()) == Cause::Unmapped {
        FOUND.fetch_add(1, SeqCst);
    }
    open_it(signal, info, context);
}

fn a_handler_may_probe() {
    // Without SA_NODEFER a handler has asked for faults in it to be deadly.
    set(SigHandler::SigAction(probe_and_open), SaFlags::SA_NODEFER, &[]);
    install().unwrap();
    assert_eq!(load(closed_page()), 0);
    assert_eq!((FOUND.load(SeqCst), CALLS.load(SeqCst)), (1, 1));
}

extern "C" fn broken(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
    CALLS.fetch_add(1, SeqCst);
    load(ptr::without_provenance(16));
}

fn a_handler_that_faults_ends_the_process() {
    let status = in_child(|| {
        set_info(broken);
        install().unwrap();
        load(ptr::without_provenance(8)).into()
    });
    assert!(died_of(Signal::SIGSEGV, status), "{status:?}");
}

fn a_child_made_by_fork_is_guarded_too() {
    let guard = install().unwrap();
    let status = in_child(|| {
        // In a new thread of the child, too.
        let there = thread::spawn(move || probe(guard)).join().unwrap();
        i32::from(probe(guard) != Cause::Unmapped || there != Cause::Unmapped)
    });
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
}

fn a_program_made_by_exec_starts_without_our_handler() {
    install().unwrap();
    let caught = |status: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        let mask = u64::from_str_radix(line.trim(), 16).unwrap();
        [libc::SIGSEGV, libc::SIGBUS].map(|signal| mask >> (signal - 1) & 1)
    };
    let mut ours = String::new();
    File::open("/proc/self/status").unwrap().read_to_string(&mut ours).unwrap();
    assert_eq!(caught(&ours), [1, 1]);
    let theirs = Command::new("cat").arg("/proc/self/status").output().unwrap();
    assert_eq!(caught(&String::from_utf8(theirs.stdout).unwrap()), [0, 0]);
}

extern "C" fn spoil_errno(_: c_int) {
    Errno::E2BIG.set();
}

fn errno_is_as_it_was() {
    set(SigHandler::Handler(spoil_errno), SaFlags::empty(), &[]);
    let guard = install().unwrap();
    Errno::EXDEV.set();
    probe(guard);
    assert_eq!(Errno::last(), Errno::EXDEV);
    raise(Signal::SIGSEGV).unwrap();
    assert_eq!(Errno::last(), Errno::EXDEV);
}

fn an_ignored_signal_interrupts_no_system_call() {
    set(SigHandler::SigIgn, SaFlags::empty(), &[]);
    install().unwrap();
    let (reader, mut writer) = pipe().unwrap();
    let main = nix::unistd::gettid();
    let sender = thread::spawn(move || {
        // Until the main thread sleeps in `read`; the byte comes after the signal.
        let stat = format!("/proc/self/task/{main}/stat");
        while !std::fs::read_to_string(&stat).unwrap().contains(") S ") {
            thread::yield_now();
        }
        // SAFETY: tgkill takes plain numbers.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), main.as_raw(), libc::SIGSEGV) };
        thread::sleep(std::time::Duration::from_millis(20));
        writer.write_all(b"!").unwrap();
    });
    let mut byte = [0];
    assert_eq!(nix::unistd::read(&reader, &mut byte), Ok(1));
    sender.join().unwrap();
}
