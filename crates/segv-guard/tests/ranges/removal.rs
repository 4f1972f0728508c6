//! Ranges that are refused, removed, or fault in each other.

use super::*;

pub fn ranges_that_are_empty_wrap_overlap_or_are_not_aligned_are_refused() {
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

pub fn a_removed_range_is_answered_no_more_and_its_handler_is_dropped() {
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

pub fn removing_a_range_waits_for_its_handler_and_for_no_other() {
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

pub fn a_handler_may_fault_in_another_range() {
    let guard = install().unwrap();
    let (outer, inner) = (pages(ProtFlags::PROT_NONE), pages(ProtFlags::PROT_NONE));
    let opener = Arc::new(Opener::default());
    let nested = Arc::new(Nested { inner: inner.expose_provenance(), opener: Opener::default() });
    let _ranges = [register(guard, outer, nested.clone()), register(guard, inner, opener.clone())];
    store(outer, 3);
    assert_eq!((load(outer), opener.faults.load(SeqCst)), (3, 1));
    assert_eq!(nested.opener.faults.load(SeqCst), 1);
}

/// Touches the very page that it was asked about.
struct Recursive;

// SAFETY: a volatile load of a page of the case's own.
unsafe impl OnFault for Recursive {
    fn on_fault(&self, fault: &Fault) -> Answer {
        load(ptr::with_exposed_provenance(fault.address().unwrap_or_default()));
        Answer::Mended
    }
}

/// Deeper and deeper, until the stack that signals are handled on is full: the page below it is
/// closed, so nothing is overwritten, and the kernel has nowhere to put one signal more.
pub fn a_handler_that_faults_in_its_own_range_for_ever_ends_the_process() {
    let at = pages(ProtFlags::PROT_NONE);
    let _range = register(install().unwrap(), at, Arc::new(Recursive));
    for own_stack in [false, true] {
        let status = in_child(|| {
            let _stack = own_stack.then(|| AltStack::for_this_thread().unwrap());
            store(at, 1);
            0
        });
        assert!(died_of(Signal::SIGSEGV, status), "{status:?}");
    }
}
