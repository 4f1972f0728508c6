//! A genuine crash stays exactly what it was: a tracer sees the same last signal, code, address
//! and program counter, with the guard and without.

mod support;

use std::hint::black_box;
use std::ptr;

use nix::sys::mman::ProtFlags;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use support::{Death, Ended, OPEN, PART, can_trace, death, nothing, pages, short_file};

testkit::cases! {
    a_fault_kills_with_the_same_code_address_and_program_counter needs can_trace;
    a_sent_signal_kills_with_the_same_code_and_sender needs can_trace;
    a_sent_signal_kills_past_rusts_own_handler needs can_trace;
    an_ignored_signal_that_is_sent_stays_ignored needs can_trace;
}

/// What a test process may have had installed before.
#[derive(Clone, Copy, Debug)]
enum Before {
    /// What `main` of every Rust program has: the handler for stack overflows.
    Rust,
    Default,
    Ignored,
}

fn set(before: Before) {
    let handler = match before {
        Before::Rust => return,
        Before::Default => SigHandler::SigDfl,
        Before::Ignored => SigHandler::SigIgn,
    };
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    for signal in [Signal::SIGSEGV, Signal::SIGBUS] {
        // SAFETY: no function is installed.
        unsafe { sigaction(signal, &action) }.unwrap();
    }
}

/// The death of `crash`, without and with the guard.
fn both(before: Before, crash: &dyn Fn()) -> (Death, Death) {
    let without = death(|| {
        set(before);
        crash();
        0
    });
    let with = death(|| {
        set(before);
        segv_guard::install().unwrap();
        crash();
        0
    });
    (without, with)
}

fn load(from: *const u8) {
    // SAFETY: none: this is the crash that the test is about, in a child made for it.
    black_box(unsafe { from.read_volatile() });
}

fn store(to: *mut u8) {
    // SAFETY: as for `load`.
    unsafe { to.write_volatile(1) };
}

fn call(at: *const u8) {
    // SAFETY: as for `load`.
    unsafe { std::mem::transmute::<*const u8, extern "C" fn()>(at)() };
}

fn copy(from: *const u8) {
    // A copy without a net is a genuine crash, in the very routine that can land.
    // SAFETY: as for `load`.
    unsafe { ipc_common::view::landing::copy(from, [0; 100].as_mut_ptr(), 100) };
}

fn a_fault_kills_with_the_same_code_address_and_program_counter() {
    let (closed, read_only) = (pages(ProtFlags::PROT_NONE), pages(ProtFlags::PROT_READ));
    let data = pages(OPEN);
    let (short, _file) = short_file();
    let gone = nothing();
    let past_end = short.wrapping_add(PART + 5);
    let odd = ptr::without_provenance(1 << 62);
    let crashes: [(Signal, &dyn Fn()); 9] = [
        (Signal::SIGSEGV, &|| load(ptr::without_provenance(8))),
        (Signal::SIGSEGV, &|| store(gone)),
        (Signal::SIGSEGV, &|| load(closed)),
        (Signal::SIGSEGV, &|| store(read_only.wrapping_add(77))),
        (Signal::SIGSEGV, &|| call(data)),
        (Signal::SIGSEGV, &|| load(odd)),
        (Signal::SIGBUS, &|| load(past_end)),
        (Signal::SIGBUS, &|| store(past_end)),
        (Signal::SIGBUS, &|| copy(past_end)),
    ];
    for before in [Before::Rust, Before::Default, Before::Ignored] {
        for (number, (signal, crash)) in crashes.iter().enumerate() {
            let (without, with) = both(before, crash);
            assert_eq!(with, without, "crash {number} with {before:?} before");
            assert_eq!(with.status, Ended::Signaled(*signal), "crash {number} is none");
            assert!(with.code > 0 && with.program_counter != 0, "{with:?}");
        }
    }
}

/// Everything that sends a signal to oneself, with the code that it leaves.
fn sendings(signal: Signal) -> [(i32, Box<dyn Fn()>); 3] {
    let number = signal as i32;
    [
        (
            libc::SI_USER,
            Box::new(move || nix::sys::signal::kill(nix::unistd::getpid(), signal).unwrap()),
        ),
        (libc::SI_TKILL, Box::new(move || raise(signal).unwrap())),
        (
            libc::SI_QUEUE,
            Box::new(move || {
                let value = libc::sigval { sival_ptr: ptr::without_provenance_mut(0x1234) };
                // SAFETY: sigqueue takes plain numbers.
                assert_eq!(unsafe { libc::sigqueue(libc::getpid(), number, value) }, 0);
            }),
        ),
    ]
}

fn a_sent_signal_kills_with_the_same_code_and_sender() {
    for signal in [Signal::SIGSEGV, Signal::SIGBUS] {
        for (code, send) in sendings(signal) {
            let (without, with) = both(Before::Default, &*send);
            assert_eq!(with, without);
            assert_eq!((&with.status, with.code), (&Ended::Signaled(signal), code));
            assert!(with.from_itself, "{with:?}");
        }
    }
}

fn a_sent_signal_kills_past_rusts_own_handler() {
    for (code, send) in sendings(Signal::SIGSEGV) {
        let (without, with) = both(Before::Rust, &*send);
        // Rust's handler waits for the fault to come again, and it does not.
        assert_eq!(without.status, Ended::Exited(0));
        assert_eq!((&with.status, with.code), (&Ended::Signaled(Signal::SIGSEGV), code));
        assert!(with.from_itself, "{with:?}");
        assert_eq!(with.program_counter, without.program_counter);
    }
}

fn an_ignored_signal_that_is_sent_stays_ignored() {
    for signal in [Signal::SIGSEGV, Signal::SIGBUS] {
        for (_, send) in sendings(signal) {
            let (without, with) = both(Before::Ignored, &*send);
            assert_eq!((without.status, with.status), (Ended::Exited(0), Ended::Exited(0)));
        }
    }
}
