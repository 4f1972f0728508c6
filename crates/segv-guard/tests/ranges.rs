//! Handlers by address range: the right one, from every thread, while ranges come and go.

mod support;

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;

use ipc_common::{Errno, PageSize};
use nix::sys::mman::{ProtFlags, mprotect};
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use segv_guard::table::{Answer, OnFault, Registration, Turn};
use segv_guard::{Access, AltStack, Cause, Fault, Guard, install};
use support::{OPEN, PART, heard_from_child, in_child, pages, short_file};

testkit::cases! {
    of_three_ranges_the_right_handler_is_asked needs testkit::need::native;
    a_mended_page_is_asked_about_once;
    a_handler_before_the_copies_takes_their_faults_and_one_after_does_not;
    not_mine_and_no_range_at_all_are_a_crash_like_any_other;
    a_handler_that_panics_ends_the_process_and_says_so;
    a_fault_past_the_end_of_a_file_is_answered_too;
    ranges_that_are_empty_wrap_overlap_or_are_not_aligned_are_refused;
    a_removed_range_is_answered_no_more_and_its_handler_is_dropped;
    removing_a_range_waits_for_its_handler_and_for_no_other;
    a_handler_may_fault_in_another_range;
    threads_that_fault_on_one_page_all_go_on;
    among_ten_thousand_ranges_each_fault_finds_its_own;
    ranges_come_and_go_while_others_fault;
    a_child_made_by_fork_has_the_same_ranges;
}

/// Opens the page that was touched, counts, and remembers the last fault.
#[derive(Default)]
struct Opener {
    faults: AtomicUsize,
    address: AtomicUsize,
    writes: AtomicUsize,
    _dropped: Option<Dropped>,
}

/// Says when it goes.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

// SAFETY: atomics and mprotect(2) only; the cases' pages hold no Rust values.
unsafe impl OnFault for Opener {
    fn on_fault(&self, fault: &Fault) -> Answer {
        let Some(address) = fault.address() else { return Answer::NotMine };
        self.faults.fetch_add(1, SeqCst);
        self.address.store(address, SeqCst);
        if fault.access() == Access::Write {
            self.writes.fetch_add(1, SeqCst);
        }
        match set(address & !(page() - 1), page(), OPEN) {
            true => Answer::Mended,
            false => Answer::NotMine,
        }
    }
}

fn page() -> usize {
    PageSize::system().bytes()
}

fn set(start: usize, len: usize, protection: ProtFlags) -> bool {
    let start = NonNull::new(ptr::with_exposed_provenance_mut(start)).unwrap();
    // SAFETY: the cases pass pages of their own.
    unsafe { mprotect(start, len, protection) }.is_ok()
}

fn register(guard: Guard, at: *mut u8, handler: Arc<dyn OnFault>) -> Registration {
    guard.register(at.expose_provenance(), PART, Turn::BeforeCopies, handler).unwrap()
}

/// A plain store, without a net.
fn store(to: *mut u8, byte: u8) {
    // SAFETY: the cases pass pages of their own, or want to die of it.
    unsafe { to.write_volatile(byte) };
}

fn load(from: *const u8) -> u8 {
    // SAFETY: as for `store`.
    unsafe { from.read_volatile() }
}

fn died_of(signal: Signal, status: WaitStatus) -> bool {
    matches!(status, WaitStatus::Signaled(_, by, _) if by == signal)
}

fn of_three_ranges_the_right_handler_is_asked() {
    let guard = install().unwrap();
    let openers: [Arc<Opener>; 3] = Default::default();
    let areas = [(); 3].map(|()| pages(ProtFlags::PROT_READ));
    let ranges: Vec<_> =
        openers.iter().zip(areas).map(|(opener, at)| register(guard, at, opener.clone())).collect();
    for (asked, number) in [2, 0, 1].into_iter().enumerate() {
        let at = areas[number].wrapping_add(page() + 77);
        store(at, 5);
        assert_eq!((load(at), openers[number].address.load(SeqCst)), (5, at.addr()));
        assert_eq!(openers[number].writes.load(SeqCst), 1);
        assert_eq!(openers.iter().map(|o| o.faults.load(SeqCst)).sum::<usize>(), asked + 1);
    }
    // The first byte and the last, and not the ones beside them.
    store(areas[0], 1);
    store(areas[0].wrapping_add(PART - 1), 1);
    assert_eq!(openers[0].faults.load(SeqCst), 3);
    drop(ranges);
}

fn a_mended_page_is_asked_about_once() {
    let opener = Arc::new(Opener::default());
    let at = pages(ProtFlags::PROT_NONE);
    let _range = register(install().unwrap(), at, opener.clone());
    assert_eq!((load(at), opener.writes.load(SeqCst)), (0, 0));
    store(at, 9);
    assert_eq!((load(at), opener.faults.load(SeqCst)), (9, 1));
}

fn a_handler_before_the_copies_takes_their_faults_and_one_after_does_not() {
    let guard = install().unwrap();
    for (turn, mended) in [(Turn::BeforeCopies, true), (Turn::AfterCopies, false)] {
        let opener = Arc::new(Opener::default());
        let at = pages(ProtFlags::PROT_NONE);
        let _range = guard.register(at.addr(), PART, turn, opener.clone()).unwrap();
        let mut bytes = [1; 100];
        // SAFETY: pages of this case's.
        let copied = unsafe { guard.read(at, &mut bytes) };
        assert_eq!((copied.is_ok(), opener.faults.load(SeqCst)), (mended, mended.into()));
        // Without a net, both are asked.
        store(at, 1);
        assert_eq!(opener.faults.load(SeqCst), 1);
    }
}

/// Answers that it is somebody else's.
struct NotMine(AtomicU32);

// SAFETY: one atomic.
unsafe impl OnFault for NotMine {
    fn on_fault(&self, _: &Fault) -> Answer {
        self.0.fetch_add(1, SeqCst);
        Answer::NotMine
    }
}

fn not_mine_and_no_range_at_all_are_a_crash_like_any_other() {
    let guard = install().unwrap();
    let (inside, outside) = (pages(ProtFlags::PROT_NONE), pages(ProtFlags::PROT_NONE));
    let handler = Arc::new(NotMine(AtomicU32::new(0)));
    let _range = register(guard, inside, handler.clone());
    for at in [inside, outside, ptr::without_provenance_mut(8)] {
        let status = in_child(|| {
            store(at, 1);
            0
        });
        assert!(died_of(Signal::SIGSEGV, status), "{status:?}");
    }
    // A copy gets its error, after the handler has said no.
    // SAFETY: pages of this case's.
    let fault = unsafe { guard.read_byte(inside) }.unwrap_err();
    assert_eq!((fault.cause(), handler.0.load(SeqCst)), (Cause::Protection, 1));
}

/// Breaks the promise not to.
struct Panics;

// SAFETY: none: the child is there to die of it.
unsafe impl OnFault for Panics {
    fn on_fault(&self, _: &Fault) -> Answer {
        panic!("a handler's own bug");
    }
}

/// Unwinding would tear down frames of code that never called anything. So it stops at our handler,
/// which is no function that can unwind, and the process aborts, on a probe as on a plain store.
fn a_handler_that_panics_ends_the_process_and_says_so() {
    let guard = install().unwrap();
    let at = pages(ProtFlags::PROT_NONE);
    let _range = register(guard, at, Arc::new(Panics));
    for probe in [false, true] {
        let (status, heard) = heard_from_child(|| {
            // The panic is printed from the handler's own frame, and needs more stack than std's
            // alternate one has.
            let _stack = AltStack::for_this_thread().unwrap();
            let caught = std::panic::catch_unwind(|| match probe {
                // SAFETY: pages of this case's.
                true => drop(unsafe { guard.read_byte(at) }),
                false => store(at, 1),
            });
            i32::from(caught.is_err())
        });
        assert!(died_of(Signal::SIGABRT, status), "{status:?}: {heard}");
        assert!(heard.contains("a handler's own bug"), "{heard}");
        assert!(heard.contains("cannot unwind"), "{heard}");
    }
}

/// Puts zero pages where the file has none.
struct ZeroPages;

// SAFETY: mmap(2) at the page of the fault, which holds no Rust value.
unsafe impl OnFault for ZeroPages {
    fn on_fault(&self, fault: &Fault) -> Answer {
        let (Cause::PastEndOfFile, Some(address)) = (fault.cause(), fault.address()) else {
            return Answer::NotMine;
        };
        let at = ptr::with_exposed_provenance_mut(address & !(page() - 1));
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: the page belongs to the case's mapping.
        let mapped = unsafe { libc::mmap(at, page(), libc::PROT_READ, flags, -1, 0) };
        if mapped == at { Answer::Mended } else { Answer::NotMine }
    }
}

fn a_fault_past_the_end_of_a_file_is_answered_too() {
    let guard = install().unwrap();
    let (start, _file) = short_file();
    let _range = guard.register(start.addr(), 2 * PART, Turn::AfterCopies, Arc::new(ZeroPages));
    assert_eq!(load(start.wrapping_add(PART + 9)), 0);
    // SAFETY: a mapping of this case's.
    let fault = unsafe { guard.read_byte(start.wrapping_add(2 * PART - 1)) }.unwrap_err();
    assert_eq!(fault.cause(), Cause::PastEndOfFile, "copies keep their error");
}

fn ranges_that_are_empty_wrap_overlap_or_are_not_aligned_are_refused() {
    let guard = install().unwrap();
    let at = pages(ProtFlags::PROT_NONE).addr();
    let refused = |start, len| {
        let handler = Arc::new(NotMine(AtomicU32::new(0)));
        let error = guard.register(start, len, Turn::BeforeCopies, handler.clone()).unwrap_err();
        assert_eq!(Arc::strong_count(&handler), 1, "nothing is kept of what was refused");
        assert!(!error.is_from_kernel() && error.call() == "Guard::register", "{error}");
        error.errno()
    };
    let _range = guard.register(at, 4 * page(), Turn::BeforeCopies, Arc::new(ZeroPages)).unwrap();
    for (start, len, errno) in [
        (at, 0, Errno::EINVAL),
        (at + 1, page(), Errno::EINVAL),
        (at, page() + 1, Errno::EINVAL),
        (0usize.wrapping_sub(page()), 2 * page(), Errno::EINVAL),
        (at, 4 * page(), Errno::EEXIST),
        (at + page(), page(), Errno::EEXIST),
        (at + 3 * page(), 2 * page(), Errno::EEXIST),
        (at - page(), 2 * page(), Errno::EEXIST),
        (at - page(), 9 * page(), Errno::EEXIST),
    ] {
        assert_eq!(refused(start, len), errno, "{start:#x} {len}");
    }
    // Side by side is no overlap.
    for start in [at - page(), at + 4 * page()] {
        let beside = guard.register(start, page(), Turn::BeforeCopies, Arc::new(ZeroPages));
        assert!(format!("{:?}", beside.unwrap()).starts_with("Registration(0x"));
    }
}

fn a_removed_range_is_answered_no_more_and_its_handler_is_dropped() {
    let guard = install().unwrap();
    let dropped = Arc::new(AtomicBool::new(false));
    let opener = Opener { _dropped: Some(Dropped(dropped.clone())), ..Opener::default() };
    let at = pages(ProtFlags::PROT_NONE);
    let range = register(guard, at, Arc::new(opener));
    store(at, 1);
    assert!(!dropped.load(SeqCst));
    drop(range);
    assert!(dropped.load(SeqCst));
    let status = in_child(|| {
        store(at.wrapping_add(page()), 1);
        0
    });
    assert!(died_of(Signal::SIGSEGV, status), "{status:?}");
    // The addresses are free again.
    drop(register(guard, at, Arc::new(Opener::default())));
}

/// A handler that is inside until it is let go.
#[derive(Default)]
struct Slow {
    inside: AtomicBool,
    go: AtomicBool,
    opener: Opener,
}

// SAFETY: atomics, sched_yield(2), and what `Opener` does.
unsafe impl OnFault for Slow {
    fn on_fault(&self, fault: &Fault) -> Answer {
        self.inside.store(true, SeqCst);
        while !self.go.load(SeqCst) {
            thread::yield_now();
        }
        self.opener.on_fault(fault)
    }
}

fn removing_a_range_waits_for_its_handler_and_for_no_other() {
    let guard = install().unwrap();
    let slow = Arc::new(Slow::default());
    let (at, other) = (pages(ProtFlags::PROT_NONE), pages(ProtFlags::PROT_NONE));
    let range = register(guard, at, slow.clone());
    let removed = AtomicBool::new(false);
    let start = at.expose_provenance();
    thread::scope(|scope| {
        scope.spawn(move || store(ptr::with_exposed_provenance_mut(start), 7));
        while !slow.inside.load(SeqCst) {
            thread::yield_now();
        }
        scope.spawn(|| {
            drop(range);
            removed.store(true, SeqCst);
        });
        // Others come and go meanwhile, and are answered.
        for _ in 0..100 {
            set(other.addr(), PART, ProtFlags::PROT_NONE);
            let beside = register(guard, other, Arc::new(Opener::default()));
            store(other, 1);
            drop(beside);
        }
        assert!(!removed.load(SeqCst), "the handler is still inside");
        slow.go.store(true, SeqCst);
    });
    assert!(removed.load(SeqCst));
    assert_eq!((load(at), Arc::strong_count(&slow)), (7, 1));
}

/// Touches another range first.
struct Nested {
    inner: usize,
    opener: Opener,
}

// SAFETY: a volatile load of a page that has a handler, and what `Opener` does.
unsafe impl OnFault for Nested {
    fn on_fault(&self, fault: &Fault) -> Answer {
        load(ptr::with_exposed_provenance(self.inner));
        self.opener.on_fault(fault)
    }
}

fn a_handler_may_fault_in_another_range() {
    let guard = install().unwrap();
    let (outer, inner) = (pages(ProtFlags::PROT_NONE), pages(ProtFlags::PROT_NONE));
    let opener = Arc::new(Opener::default());
    let nested = Arc::new(Nested { inner: inner.expose_provenance(), opener: Opener::default() });
    let _ranges = [register(guard, outer, nested.clone()), register(guard, inner, opener.clone())];
    store(outer, 3);
    assert_eq!((load(outer), opener.faults.load(SeqCst)), (3, 1));
    assert_eq!(nested.opener.faults.load(SeqCst), 1);
}

fn threads_that_fault_on_one_page_all_go_on() {
    let opener = Arc::new(Opener::default());
    let at = pages(ProtFlags::PROT_NONE);
    let _range = register(install().unwrap(), at, opener.clone());
    let rounds = testkit::soak(300, 20_000);
    let start = at.expose_provenance();
    let (together, stored) = (Barrier::new(9), Barrier::new(9));
    thread::scope(|scope| {
        for number in 0..8 {
            let (together, stored) = (&together, &stored);
            scope.spawn(move || {
                for round in 0..rounds {
                    together.wait();
                    store(ptr::with_exposed_provenance_mut(start + number), round as u8);
                    stored.wait();
                }
            });
        }
        for round in 0..rounds {
            set(start, PART, ProtFlags::PROT_NONE);
            together.wait();
            stored.wait();
            assert!((0..8).all(|number| load(at.wrapping_add(number)) == round as u8));
        }
    });
    assert!(opener.faults.load(SeqCst) >= rounds);
}

fn among_ten_thousand_ranges_each_fault_finds_its_own() {
    const RANGES: usize = 10_000;
    let guard = install().unwrap();
    let len = RANGES * page();
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: new memory at an address of the kernel's choice.
    let memory = unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_READ, flags, -1, 0) };
    let start = memory.expose_provenance();
    let openers: Vec<Arc<Opener>> = (0..RANGES).map(|_| Arc::default()).collect();
    // Not in their order.
    let order = |number: usize| number * 7_919 % RANGES;
    let mut ranges: Vec<_> = (0..RANGES)
        .map(order)
        .map(|n| {
            let handler = openers[n].clone();
            guard.register(start + n * page(), page(), Turn::BeforeCopies, handler).unwrap()
        })
        .collect();
    for number in (0..RANGES).step_by(3) {
        let at = start + number * page() + number % page();
        store(ptr::with_exposed_provenance_mut(at), 1);
        assert_eq!(openers[number].address.load(SeqCst), at);
    }
    let faults: usize = openers.iter().map(|opener| opener.faults.load(SeqCst)).sum();
    assert_eq!(faults, RANGES.div_ceil(3));
    // Every second one goes, and the rest is still found.
    let mut number = 0;
    ranges.retain(|_| {
        number += 1;
        order(number - 1) % 2 == 1
    });
    for number in (1..RANGES).step_by(6) {
        store(ptr::with_exposed_provenance_mut(start + number * page()), 1);
        assert_eq!(openers[number].faults.load(SeqCst), 1, "{number}");
    }
    assert!(openers.iter().step_by(2).all(|opener| Arc::strong_count(opener) == 1));
}

fn ranges_come_and_go_while_others_fault() {
    let guard = install().unwrap();
    let rounds = testkit::soak(4_000, 200_000);
    // Each thread's own page faults every time; the ranges beside them come and go.
    let areas: Vec<usize> =
        (0..4).map(|_| pages(ProtFlags::PROT_NONE).expose_provenance()).collect();
    let passing: Vec<usize> = (0..3).map(|_| pages(OPEN).expose_provenance()).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let faulting: Vec<_> = areas
            .iter()
            .map(|&area| {
                scope.spawn(move || {
                    let opener = Arc::new(Opener::default());
                    let at = ptr::with_exposed_provenance_mut::<u8>(area);
                    let _range = register(guard, at, opener.clone());
                    for round in 0..rounds {
                        let at = at.wrapping_add(round % PART);
                        set(area, PART, ProtFlags::PROT_NONE);
                        store(at, round as u8);
                        assert_eq!(opener.address.load(SeqCst), at.addr());
                    }
                    assert_eq!(opener.faults.load(SeqCst), rounds);
                })
            })
            .collect();
        for area in passing {
            let done = &done;
            scope.spawn(move || {
                let mut round = 0;
                while !done.load(SeqCst) {
                    round += 1;
                    let at = area + round % 8 * page();
                    let opener = Arc::new(Opener::default());
                    let handler = opener.clone();
                    set(at, page(), ProtFlags::PROT_NONE);
                    let range = guard.register(at, page(), Turn::BeforeCopies, handler).unwrap();
                    store(ptr::with_exposed_provenance_mut(at), 1);
                    drop(range);
                    assert_eq!(opener.faults.load(SeqCst), 1);
                    assert_eq!(Arc::strong_count(&opener), 1, "removed means: nobody has it");
                }
            });
        }
        faulting.into_iter().for_each(|thread| thread.join().unwrap());
        done.store(true, SeqCst);
    });
}

fn a_child_made_by_fork_has_the_same_ranges() {
    let opener = Arc::new(Opener::default());
    let at = pages(ProtFlags::PROT_NONE);
    let range = register(install().unwrap(), at, opener.clone());
    let status = in_child(|| {
        store(at, 4);
        drop(range);
        i32::from(load(at)) + opener.faults.load(SeqCst) as i32
    });
    assert!(matches!(status, WaitStatus::Exited(_, 5)), "{status:?}");
}
