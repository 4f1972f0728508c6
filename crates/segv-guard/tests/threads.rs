//! Many threads that fault, and several that die.

mod support;

use std::hint::black_box;
use std::ptr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use nix::sys::mman::ProtFlags;
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use segv_guard::{Access, AltStack, Cause, install};
use support::{PART, in_child, pages, short_file};

testkit::cases! {
    eight_threads_get_each_fault_of_theirs_and_no_other;
    threads_that_die_at_once_die_of_their_fault;
    a_crash_among_probing_threads_ends_the_process;
}

fn eight_threads_get_each_fault_of_theirs_and_no_other() {
    let rounds = testkit::soak(2_000, 100_000);
    let guard = install().unwrap();
    let closed = pages(ProtFlags::PROT_NONE).addr();
    let (short, _file) = short_file();
    let past_end = short.addr() + PART;
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || {
                // Half of them on a stack of ours, half on Rust's.
                let _stack = (number % 2 == 0).then(|| AltStack::for_this_thread().unwrap());
                for round in 0..rounds {
                    let offset = (round * 8 + number) % PART;
                    let (start, cause) = if round % 3 == 0 {
                        (past_end, Cause::PastEndOfFile)
                    } else {
                        (closed, Cause::Protection)
                    };
                    let at = ptr::with_exposed_provenance_mut::<u8>(start + offset);
                    // SAFETY: where there is memory, it is this case's, and nothing is in it.
                    let (fault, access) = unsafe {
                        match round % 2 {
                            0 => (guard.read_byte(at).unwrap_err(), Access::Read),
                            _ => (guard.write_byte(at, 1).unwrap_err(), Access::Write),
                        }
                    };
                    assert_eq!((fault.cause(), fault.address()), (cause, Some(at.addr())));
                    assert!(fault.access() == access || cfg!(not(target_arch = "x86_64")));
                }
            });
        }
    });
}

fn crash() {
    // SAFETY: none: the child is there to die of it.
    black_box(unsafe { ptr::without_provenance::<u8>(8).read_volatile() });
}

fn threads_that_die_at_once_die_of_their_fault() {
    for _ in 0..testkit::soak(20, 500) {
        let status = in_child(|| {
            install().unwrap();
            let ready = Barrier::new(4);
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        ready.wait();
                        crash();
                    });
                }
            });
            0
        });
        assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGSEGV, _)), "{status:?}");
    }
}

/// Which thread's fault it dies of is not for sure: once the signal has its default action back, a
/// probe's fault is as deadly as any.
fn a_crash_among_probing_threads_ends_the_process() {
    for _ in 0..testkit::soak(10, 200) {
        let status = in_child(|| {
            let guard = install().unwrap();
            let probing = AtomicBool::new(false);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        loop {
                            // SAFETY: no Rust value is at null.
                            unsafe { guard.read_byte(ptr::null()) }.unwrap_err();
                            probing.store(true, Relaxed);
                        }
                    });
                }
                while !probing.load(Relaxed) {
                    std::hint::spin_loop();
                }
                crash();
            });
            0
        });
        assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGSEGV, _)), "{status:?}");
    }
}
