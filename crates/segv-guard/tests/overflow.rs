//! A buffer with a guard page behind it: the first byte too many, and what becomes of it.

mod support;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::{ptr, thread};

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use segv_guard::uses::{GuardedBuffer, OnOverflow, Overflow};
use segv_guard::{Access, Cause, install};
use support::in_child;

testkit::cases! {
    an_overflow_is_reported_at_the_exact_byte needs testkit::need::native;
    a_program_that_is_let_go_on_goes_on_and_the_buffer_holds_what_belongs_in_it;
    a_program_that_is_not_dies_at_the_instruction;
    overflows_while_others_are_taken_leave_the_guard_page_closed;
    copies_with_a_net_get_their_error_and_are_not_noted;
    a_loop_in_c_is_caught_at_its_first_step_too_far;
    a_buffer_of_nothing_and_one_of_whole_pages_end_where_they_should;
}

fn buffer(len: usize, on_overflow: OnOverflow) -> GuardedBuffer {
    GuardedBuffer::new(install().unwrap(), len, on_overflow).unwrap()
}

/// A plain store, `offset` bytes from the buffer's start.
fn store(buffer: &GuardedBuffer, offset: usize) {
    // SAFETY: inside the buffer's pages, its guard page included.
    unsafe { buffer.as_ptr().wrapping_add(offset).write_volatile(7) };
}

fn an_overflow_is_reported_at_the_exact_byte() {
    for len in [1, 2, 16, 1023, 4095, 4096, 4097, 10_000] {
        let buffer = buffer(len, OnOverflow::GoOn);
        (0..len).for_each(|offset| store(&buffer, offset));
        assert_eq!(buffer.take_overflow().unwrap(), None, "{len}");
        for past in [0, 1, 2, 7, 100, 4095] {
            store(&buffer, len + past);
            // Only the first counts.
            store(&buffer, len + 50);
            let expected = Overflow { offset: len + past, len, access: Access::Write };
            assert_eq!(buffer.take_overflow().unwrap(), Some(expected));
            assert_eq!(buffer.take_overflow().unwrap(), None);
        }
        for (past, words) in [(0, "just past"), (1, "1 byte past"), (3, "3 bytes past")] {
            let offset = len + past;
            // SAFETY: as in `store`.
            unsafe { buffer.as_ptr().wrapping_add(offset).read_volatile() };
            let overflow = buffer.take_overflow().unwrap().unwrap();
            assert_eq!(overflow.offset, offset);
            if cfg!(target_arch = "x86_64") {
                let sentence =
                    format!("byte {offset} of a {len}-byte buffer was read: {words} its end");
                assert_eq!(overflow.to_string(), sentence);
            }
        }
    }
}

fn a_program_that_is_let_go_on_goes_on_and_the_buffer_holds_what_belongs_in_it() {
    let buffer = buffer(1_024, OnOverflow::GoOn);
    let text = vec![b'x'; 3_000];
    // SAFETY: the lecture's `strcpy` into 1,024 bytes; what is too much lands on the guard page.
    unsafe { ptr::copy_nonoverlapping(text.as_ptr(), buffer.as_ptr(), text.len()) };
    assert_eq!(buffer.take_overflow().unwrap().unwrap().len, 1_024);
    assert_eq!(buffer.view().read_vec(0, 1_024).unwrap(), text[..1_024]);
    assert!(buffer.view().write(1_024, b"x").is_err(), "a view does not reach the guard page");
}

fn a_program_that_is_not_dies_at_the_instruction() {
    let buffer = buffer(100, OnOverflow::Die);
    store(&buffer, 99);
    let status = in_child(|| {
        store(&buffer, 100);
        0
    });
    assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGSEGV, _)), "{status:?}");
    assert_eq!(buffer.take_overflow().unwrap(), None);
}

/// Whatever came between whose steps: once nothing is noted any more, the page is closed.
fn overflows_while_others_are_taken_leave_the_guard_page_closed() {
    let buffer = buffer(16, OnOverflow::GoOn);
    let stop = AtomicBool::new(false);
    let taken = thread::scope(|scope| {
        for number in 0..2 {
            let (buffer, stop) = (&buffer, &stop);
            scope.spawn(move || {
                while !stop.load(Relaxed) {
                    store(buffer, 16 + number);
                }
            });
        }
        let (wanted, mut taken) = (testkit::soak(2_000, 100_000), 0);
        let mut rounds = testkit::rounds(50_000, 2_000_000);
        while rounds.next(taken >= wanted).is_some() {
            taken += usize::from(buffer.take_overflow().unwrap().is_some());
        }
        stop.store(true, Relaxed);
        taken
    });
    while buffer.take_overflow().unwrap().is_some() {}
    store(&buffer, 16 + 1_000);
    let overflow = buffer.take_overflow().unwrap();
    assert_eq!(overflow.map(|first| first.offset), Some(1_016), "not noticed, after {taken}");
    assert_eq!(buffer.take_overflow().unwrap(), None);
}

fn copies_with_a_net_get_their_error_and_are_not_noted() {
    let guard = install().unwrap();
    let buffer = buffer(10, OnOverflow::GoOn);
    // SAFETY: the buffer's own pages.
    let cut = unsafe { guard.write(buffer.as_ptr(), &[1; 20]) }.unwrap_err();
    assert!(cut.good <= 10 && cut.fault.cause() == Cause::Protection, "{cut}");
    assert_eq!(cut.fault.address(), Some(buffer.as_ptr().addr() + 10));
    assert_eq!(buffer.take_overflow().unwrap(), None);
}

fn a_loop_in_c_is_caught_at_its_first_step_too_far() {
    let buffer = buffer(16, OnOverflow::GoOn);
    // SAFETY: a format of known length; 16 bytes fit, the rest lands on the guard page.
    unsafe {
        libc::sprintf(buffer.as_ptr().cast(), c"%s %d".as_ptr(), c"fifteen letters".as_ptr(), 1)
    };
    let overflow = buffer.take_overflow().unwrap().unwrap();
    assert_eq!(overflow.offset, 16, "{overflow}");
}

fn a_buffer_of_nothing_and_one_of_whole_pages_end_where_they_should() {
    let page = ipc_common::PageSize::system().bytes();
    let none = buffer(0, OnOverflow::GoOn);
    assert!(none.is_empty() && none.view().is_empty());
    store(&none, 0);
    assert_eq!(none.take_overflow().unwrap().unwrap().offset, 0);
    let whole = buffer(2 * page, OnOverflow::GoOn);
    assert_eq!(whole.as_ptr().addr() % page, 0);
    store(&whole, 2 * page - 1);
    assert_eq!(whole.take_overflow().unwrap(), None);
    for len in [usize::MAX, usize::MAX - page, 1 << 60] {
        assert!(GuardedBuffer::new(install().unwrap(), len, OnOverflow::Die).is_err());
    }
}
