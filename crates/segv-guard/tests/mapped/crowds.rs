//! Several threads, signals and processes that touch what is missing at once.

use super::*;

pub fn whoever_sees_a_zero_sees_the_flag() {
    for _ in 0..testkit::soak(200, 10_000) {
        let mapped = Mapped::new(OPEN);
        for part in 0..4 {
            mapped.word(part).store(1, Ordering::Relaxed);
        }
        let begin = Barrier::new(3);
        thread::scope(|scope| {
            for part in [2, 3] {
                let (mapped, begin) = (&mapped, &begin);
                scope.spawn(move || {
                    begin.wait();
                    while mapped.word(part).load(Ordering::Acquire) != 0 {}
                    // Relaxed: the order is the handler's and the kernel's doing.
                    assert!(mapped.flag().load(Ordering::Relaxed));
                });
            }
            begin.wait();
            mapped.cut(1);
        });
    }
}

pub fn eight_threads_that_fault_on_one_page_at_once_all_go_on_and_lose_nothing() {
    for round in 0..testkit::soak(300, 5_000) {
        let mapped = Mapped::new(OPEN);
        mapped.cut(0);
        let begin = Barrier::new(8);
        // All on one page, or two by two on four.
        let part = |me: usize| if round % 2 == 0 { 2 } else { me % 4 };
        thread::scope(|scope| {
            for me in 0..8 {
                let (mapped, begin) = (&mapped, &begin);
                scope.spawn(move || {
                    begin.wait();
                    mapped.word(part(me)).fetch_add(1, Ordering::Relaxed);
                    assert!(mapped.replaced());
                });
            }
        });
        // The zeros are nobody's file, but they are memory: who came second has not wiped out what
        // the first one stored.
        let counts = [0, 1, 2, 3].map(|part| mapped.word(part).load(Ordering::Relaxed));
        assert_eq!(counts, if round % 2 == 0 { [0, 0, 8, 0] } else { [2; 4] }, "round {round}");
    }
}

/// What the handler of an alarm touches.
static ALARMED: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());

extern "C" fn on_alarm(_: i32) {
    // SAFETY: null, or a word of a mapping that stays until another is put there.
    if let Some(word) = unsafe { ALARMED.load(Ordering::Acquire).as_ref() } {
        word.fetch_add(1, Ordering::Relaxed);
    }
}

pub fn a_signal_in_the_middle_of_a_fault_may_touch_a_missing_page_itself() {
    let action = SigAction::new(SigHandler::Handler(on_alarm), SaFlags::empty(), SigSet::empty());
    // Rust's own has room for two frames at most.
    let _stack = AltStack::for_this_thread().unwrap();
    // SAFETY: the handler uses atomics only.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();
    let (target, done) = (nix::sys::pthread::pthread_self(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                nix::sys::pthread::pthread_kill(target, Signal::SIGUSR1).unwrap();
            }
        });
        for _ in 0..testkit::soak(2_000, 100_000) {
            let mapped = Mapped::new(OPEN);
            mapped.cut(0);
            ALARMED.store(ptr::from_ref(mapped.word(1)).cast_mut(), Ordering::Release);
            mapped.word(2).fetch_add(1, Ordering::Relaxed);
            assert_eq!(mapped.word(2).load(Ordering::Relaxed), 1);
            ALARMED.store(ptr::null_mut(), Ordering::Release);
        }
        done.store(true, Ordering::Relaxed);
    });
}

pub fn what_one_thread_stored_in_the_zeros_stays_when_another_faults_behind_it() {
    let mapped = Mapped::new(OPEN);
    mapped.cut(0);
    mapped.word(3).store(3, Ordering::Relaxed);
    mapped.word(1).store(1, Ordering::Relaxed);
    let values = [0, 1, 2, 3].map(|part| mapped.word(part).load(Ordering::Relaxed));
    assert_eq!(values, [0, 1, 0, 3]);
}

pub fn what_a_forked_child_touches_is_replaced_in_the_child_only() {
    let mapped = Mapped::new(OPEN);
    mapped.cut(1);
    let status = in_child(|| {
        mapped.word(2).store(1, Ordering::Relaxed);
        i32::from(mapped.replaced())
    });
    assert!(matches!(status, WaitStatus::Exited(_, 1)), "{status:?}");
    assert!(!mapped.replaced());
    mapped.cut(4);
    mapped.word(2).store(9, Ordering::Relaxed);
    assert!(!mapped.replaced(), "here, the page is the file's");
}

/// The fault of the other thread waits for the fork, which has the kernel's lock of the mappings.
pub fn a_child_forked_in_the_middle_of_a_fault_waits_for_no_thread_that_it_has_not() {
    for _ in 0..testkit::soak(150, 5_000) {
        let mapped = Mapped::new(OPEN);
        mapped.cut(0);
        let begin = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                begin.wait();
                for part in [3, 2, 1, 0] {
                    mapped.word(part).fetch_add(1, Ordering::Relaxed);
                }
            });
            begin.wait();
            let status = in_child(|| {
                // Where it comes too late for a fault, it counts on.
                let before = mapped.word(0).fetch_add(1, Ordering::Relaxed);
                i32::from(!mapped.replaced() || before > 1)
            });
            assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
        });
        let counts = [0, 1, 2, 3].map(|part| mapped.word(part).load(Ordering::Relaxed));
        assert_eq!(counts, [1; 4]);
    }
}
