//! Watches that come and go, and whose is which.

use super::*;

pub fn watches_that_come_and_go_do_not_disturb_a_fault() {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let start = pages(ProtFlags::PROT_NONE);
                while !done.load(Ordering::Relaxed) {
                    let guard = install().unwrap();
                    // SAFETY: the case's own pages, which nobody touches.
                    drop(black_box(unsafe { guard.watch_file(start.addr(), PART, OPEN) }.unwrap()));
                }
            });
        }
        for _ in 0..testkit::soak(500, 20_000) {
            let mapped = Mapped::new(OPEN);
            mapped.cut(0);
            assert_eq!(mapped.word(2).fetch_add(1, Ordering::Relaxed), 0);
            assert!(mapped.replaced());
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// The places are in blocks of 64; here there are four, and holes in the first ones.
pub fn hundreds_of_watches_at_once_each_answer_for_their_own() {
    let mut all: Vec<_> = (0..200).map(|_| Mapped::new(OPEN)).collect();
    let mut nth = 0;
    all.retain(|_| {
        nth += 1;
        nth % 3 != 0
    });
    all.extend((0..100).map(|_| Mapped::new(OPEN)));
    for (at, mapped) in all.iter().enumerate() {
        mapped.word(3).store(9, Ordering::Relaxed);
        if at % 2 == 0 {
            mapped.cut(2);
        }
    }
    for (at, mapped) in all.iter().enumerate() {
        let expected = if at % 2 == 0 { 0 } else { 9 };
        assert_eq!(mapped.word(3).load(Ordering::Relaxed), expected, "{at}");
    }
    for (at, mapped) in all.iter().enumerate() {
        assert_eq!(mapped.replaced(), at % 2 == 0, "{at}");
    }
}

/// Mends nothing.
struct Nobody;

// SAFETY: it touches nothing.
unsafe impl OnFault for Nobody {
    fn on_fault(&self, _: &Fault) -> Answer {
        Answer::NotMine
    }
}

pub fn a_watch_overlaps_no_other_and_no_range() {
    let guard = install().unwrap();
    let (mapped, free) = (Mapped::new(OPEN), pages(ProtFlags::PROT_NONE));
    let start = mapped.start.addr();
    let watch = |start: usize, len| {
        // SAFETY: the case's own pages, or refused.
        unsafe { guard.watch_file(start, len, OPEN) }.map(drop).map_err(|error| error.errno())
    };
    let range = |start: usize, len| {
        let range = guard.register(start, len, Turn::AfterCopies, Arc::new(Nobody));
        range.map_err(|error| error.errno())
    };
    for (at, len) in [(0, 4 * PART), (PART, PART), (3 * PART, 2 * PART)] {
        assert_eq!(watch(start + at, len), Err(Errno::EEXIST), "{at}");
        assert_eq!(range(start + at, len).map(drop), Err(Errno::EEXIST), "{at}");
    }
    let _range = range(free.addr(), PART).unwrap();
    assert_eq!(watch(free.addr(), PART), Err(Errno::EEXIST));
    drop(mapped);
    // Not for these pages any more: whoever has them next.
    assert_eq!(range(start, 4 * PART).map(drop), Ok(()));
}

pub fn a_place_that_is_used_again_remembers_nothing() {
    for _ in 0..3 {
        let mapped = Mapped::new(OPEN);
        assert!(!mapped.replaced());
        mapped.cut(0);
        assert_eq!(mapped.word(1).fetch_add(1, Ordering::Relaxed), 0);
        assert!(mapped.replaced());
    }
}
