//! Several threads that write and collect at once, also with no mapping left.

use super::*;

pub fn threads_that_write_one_page_all_go_on() {
    let rounds = testkit::soak(300, 20_000);
    let tracker = tracker(Backend::Faults, 1);
    let (together, written) = (Barrier::new(9), Barrier::new(9));
    thread::scope(|scope| {
        for number in 0..8 {
            let (tracker, together, written) = (&tracker, &together, &written);
            scope.spawn(move || {
                let word = tracker.view().atomic_u32(number * 8).unwrap();
                for _ in 0..rounds {
                    together.wait();
                    word.fetch_add(1, Relaxed);
                    written.wait();
                }
            });
        }
        for round in 1..=rounds {
            together.wait();
            written.wait();
            assert_eq!(tracker.take().unwrap(), [0..1]);
            for number in 0..8 {
                let count = tracker.view().load_u32(number * 8, Relaxed).unwrap();
                assert_eq!(count, round as u32);
            }
        }
    });
}

/// Four threads count on changing pages, and say afterwards how far they are. A collector looks
/// only at what is reported, and must never know less than they had said before.
pub fn nothing_is_late(backend: Backend) {
    const WRITERS: usize = 4;
    const PAGES: usize = 8;
    let takes = testkit::soak(5_000, 300_000);
    let tracker = tracker(backend, PAGES);
    let (view, page) = (tracker.view(), tracker.page_size().bytes());
    // Where writer `number` counts in round `round`: a word of its own, on changing pages.
    let place =
        |number: usize, round: u32| (round as usize * 7 + number) % PAGES * page + number * 8;
    let said = [const { AtomicU32::new(0) }; WRITERS];
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..WRITERS {
            let (said, stop) = (&said[number], &stop);
            scope.spawn(move || {
                for round in 1.. {
                    let word = view.atomic_u32(place(number, round)).unwrap();
                    word.store(round, Relaxed);
                    said.store(round, Release);
                    if stop.load(Relaxed) {
                        return;
                    }
                }
            });
        }
        let mut known = [0; WRITERS];
        let mut collect = || {
            let before = said.each_ref().map(|said| said.load(Acquire));
            for reported in flat(tracker.take().unwrap()) {
                for (number, known) in known.iter_mut().enumerate() {
                    let at = reported * page + number * 8;
                    *known = view.load_u32(at, Relaxed).unwrap().max(*known);
                }
            }
            let late = (0..WRITERS).find(|number| known[*number] < before[*number]);
            (late.is_some(), format!("{before:?} were written, {known:?} is known"))
        };
        while said.iter().any(|said| said.load(Relaxed) == 0) {
            thread::yield_now();
        }
        let late = (0..takes).map(|_| collect()).find(|(late, _)| *late);
        // The writers have to end before anything is asserted: the scope waits for them.
        stop.store(true, Relaxed);
        assert_eq!(late, None);
    });
}

pub fn a_write_that_is_over_is_reported_by_the_next_take() {
    nothing_is_late(Backend::Faults);
}

pub fn a_write_that_is_over_is_reported_by_the_kernels_marks_too() {
    nothing_is_late(Backend::Kernel);
}

pub fn when_no_mapping_is_left_too_much_is_reported_and_nothing_is_lost() {
    const PAGES: usize = 128;
    let tracker = tracker(Backend::Faults, PAGES);
    let page = tracker.page_size().bytes();
    let even = || (0..PAGES).step_by(2);
    let all: BTreeSet<usize> = (0..PAGES).collect();
    let [ready, full, done] = [(); 3].map(|()| Barrier::new(5));
    thread::scope(|scope| {
        // Started before there is no room for their stacks.
        for number in 0..4 {
            let (tracker, ready, full, done) = (&tracker, &ready, &full, &done);
            scope.spawn(move || {
                drop(tracker.take().unwrap());
                ready.wait();
                full.wait();
                for round in 0..testkit::soak(500, 20_000) {
                    let offset = (number * 32 + round * 2 % 32) * page;
                    let word = tracker.view().atomic_u32(offset).unwrap();
                    let before = word.fetch_add(1, Relaxed);
                    if round % 40 == 0 {
                        drop(tracker.take().unwrap());
                    }
                    assert!(word.load(Relaxed) > before);
                }
                done.wait();
            });
        }
        ready.wait();
        let mappings = use_up_mappings();
        for _ in 0..3 {
            for written in even() {
                tracker.view().atomic_u32(written * page).unwrap().fetch_add(1, Relaxed);
            }
            assert_eq!(flat(tracker.take().unwrap()), all, "all were opened");
            assert_eq!(tracker.take().unwrap(), [], "and all were closed");
            tracker.view().write(7 * page, b"b").unwrap();
            assert_eq!(tracker.take().unwrap(), [7..8]);
        }
        full.wait();
        done.wait();
        drop(mappings);
    });
    tracker.take().unwrap();
    for written in even() {
        tracker.view().write(written * page, b"c").unwrap();
    }
    assert_eq!(flat(tracker.take().unwrap()), even().collect(), "exact again");
}
