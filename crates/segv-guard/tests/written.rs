//! Write tracking: no write is lost, whoever notices it, and whatever else goes on.

#![allow(clippy::single_range_in_vec_init, reason = "lists of ranges are what this is about")]

mod support;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use std::thread;

use nix::errno::Errno;
use nix::sys::wait::WaitStatus;
use segv_guard::install;
use segv_guard::region::{Protection, Region};
use segv_guard::uses::{Backend, WriteTracker};
use support::{Random, in_child, mappings_that_can_be_used_up, use_up_mappings};

testkit::cases! {
    the_pages_that_were_written_are_reported_and_no_others;
    the_kernels_marks_give_the_same_answers needs kernel_marks;
    reading_is_not_writing;
    threads_that_write_one_page_all_go_on;
    a_write_that_is_over_is_reported_by_the_next_take;
    a_write_that_is_over_is_reported_by_the_kernels_marks_too needs kernel_marks;
    when_no_mapping_is_left_too_much_is_reported_and_nothing_is_lost needs mappings_that_can_be_used_up;
    a_tracker_that_is_dropped_leaves_the_addresses_to_others;
    a_region_has_closed_margins_and_refuses_pages_that_it_has_not;
    a_child_made_by_fork_tracks_its_own_copy;
    a_child_made_by_fork_takes_no_marks_from_its_parent needs kernel_marks;
    system_calls_may_write_what_the_kernel_marks needs kernel_marks;
}

fn kernel_marks() -> Result<(), String> {
    WriteTracker::with(install().unwrap(), 1, Backend::Kernel)
        .map(drop)
        .map_err(|error| error.to_string())
}

fn tracker(backend: Backend, pages: usize) -> WriteTracker {
    let page = ipc_common::PageSize::system().bytes();
    let tracker = WriteTracker::with(install().unwrap(), pages * page, backend).unwrap();
    assert_eq!((tracker.backend(), tracker.pages()), (backend, pages));
    tracker
}

fn flat(ranges: Vec<Range<usize>>) -> BTreeSet<usize> {
    assert!(ranges.is_sorted_by(|one, next| one.end < next.start), "{ranges:?}");
    ranges.into_iter().flatten().collect()
}

/// Against a set of page numbers.
fn against_a_model(backend: Backend) {
    const PAGES: usize = 700;
    let tracker = tracker(backend, PAGES);
    let (view, page) = (tracker.view(), tracker.page_size().bytes());
    let mut random = Random(testkit::random_u64());
    let mut next = |below| random.below(below);
    let mut contents = vec![0; PAGES * page];
    for round in 0..testkit::soak(60, 3_000) {
        let mut model = BTreeSet::new();
        for _ in 0..next(40) {
            let offset = next(PAGES * page - 4) & !3;
            match next(3) {
                0 => view.atomic_u32(offset).unwrap().store(round as u32, Relaxed),
                1 => view.write(offset, &(round as u32).to_ne_bytes()).unwrap(),
                _ => {
                    let len = next(5 * page).min(PAGES * page - offset);
                    view.fill(offset, len, round as u8).unwrap();
                    contents[offset..offset + len].fill(round as u8);
                    if len > 0 {
                        model.extend(offset / page..=(offset + len - 1) / page);
                    }
                    continue;
                }
            }
            contents[offset..offset + 4].copy_from_slice(&(round as u32).to_ne_bytes());
            model.insert(offset / page);
        }
        assert_eq!(flat(tracker.take().unwrap()), model);
        assert_eq!(tracker.take().unwrap(), []);
    }
    assert!(view.read_vec(0, contents.len()).unwrap() == contents, "a write went astray");
}

fn the_pages_that_were_written_are_reported_and_no_others() {
    against_a_model(Backend::Faults);
}

fn the_kernels_marks_give_the_same_answers() {
    against_a_model(Backend::Kernel);
    // More ranges than are asked for at once.
    let tracker = tracker(Backend::Kernel, 2_000);
    for page in (0..2_000).step_by(2) {
        tracker.view().write(page * tracker.page_size().bytes(), b"x").unwrap();
    }
    assert_eq!(flat(tracker.take().unwrap()), (0..2_000).step_by(2).collect());
}

fn reading_is_not_writing() {
    for backend in [Some(Backend::Faults), kernel_marks().is_ok().then_some(Backend::Kernel)] {
        let Some(backend) = backend else { continue };
        let tracker = tracker(backend, 10);
        let page = tracker.page_size().bytes();
        assert!(tracker.view().read_vec(0, 10 * page).unwrap().iter().all(|byte| *byte == 0));
        assert_eq!(tracker.take().unwrap(), []);
        tracker.view().write(page, b"1").unwrap();
        tracker.view().read_vec(0, 10 * page).unwrap();
        assert_eq!(tracker.take().unwrap(), [1..2]);
    }
}

fn threads_that_write_one_page_all_go_on() {
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
fn nothing_is_late(backend: Backend) {
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

fn a_write_that_is_over_is_reported_by_the_next_take() {
    nothing_is_late(Backend::Faults);
}

fn a_write_that_is_over_is_reported_by_the_kernels_marks_too() {
    nothing_is_late(Backend::Kernel);
}

fn when_no_mapping_is_left_too_much_is_reported_and_nothing_is_lost() {
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

fn a_tracker_that_is_dropped_leaves_the_addresses_to_others() {
    for _ in 0..50 {
        let tracker = tracker(Backend::Faults, 3);
        tracker.view().write(0, b"x").unwrap();
        assert_eq!(tracker.take().unwrap(), [0..1]);
    }
}

fn a_region_has_closed_margins_and_refuses_pages_that_it_has_not() {
    let guard = install().unwrap();
    let region = Region::new(1).unwrap();
    assert_eq!((region.pages(), region.len()), (1, region.page_size().bytes()));
    let start = region.view().as_ptr();
    for outside in [start.wrapping_sub(1), start.wrapping_add(region.len())] {
        // SAFETY: the margins hold no Rust value.
        assert!(unsafe { guard.read_byte(outside) }.is_err());
    }
    for pages in [0..2, 1..2, 5..6] {
        let error = region.protect(pages, Protection::Open).unwrap_err();
        assert_eq!(error.errno(), Errno::ERANGE);
    }
    region.protect(1..1, Protection::Closed).unwrap();
    region.view().write(0, b"still open").unwrap();
    assert_eq!(Region::new(0).unwrap_err().errno(), Errno::EINVAL);
    for bytes in [usize::MAX, usize::MAX - 4 * region.len(), 1 << 60] {
        assert_eq!(Region::new(bytes).unwrap_err().errno(), Errno::ENOMEM);
    }
}

fn a_child_made_by_fork_tracks_its_own_copy() {
    let tracker = tracker(Backend::Faults, 4);
    let page = tracker.page_size().bytes();
    let status = in_child(|| {
        tracker.view().write(2 * page, b"child").unwrap();
        i32::from(tracker.take().unwrap() != [2..3])
    });
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
    assert_eq!(tracker.take().unwrap(), []);
}

fn a_child_made_by_fork_takes_no_marks_from_its_parent() {
    let tracker = tracker(Backend::Kernel, 4);
    let page = tracker.page_size().bytes();
    tracker.view().write(0, b"before").unwrap();
    tracker.view().write(3 * page, b"before").unwrap();
    let status = in_child(|| {
        tracker.view().write(2 * page, b"child").unwrap();
        // Nobody marks its pages: any may have been written, and none is reported too seldom.
        let all = (0..2).all(|_| tracker.take().unwrap() == [0..4]);
        i32::from(!all)
    });
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
    tracker.view().write(page, b"parent").unwrap();
    assert_eq!(tracker.take().unwrap(), [0..2, 3..4], "what the parent has written");
    assert_eq!(tracker.take().unwrap(), []);
}

fn system_calls_may_write_what_the_kernel_marks() {
    let read_zeros = |tracker: &WriteTracker| {
        let at = tracker.view().as_ptr().cast_mut();
        let zeros = std::fs::File::open("/dev/zero").unwrap();
        // SAFETY: the tracker's own memory, which has views only.
        let into = unsafe { std::slice::from_raw_parts_mut(at, 10) };
        nix::unistd::read(&zeros, into)
    };
    let kernel = tracker(Backend::Kernel, 2);
    assert_eq!(read_zeros(&kernel), Ok(10));
    assert_eq!(kernel.take().unwrap(), [0..1]);
    // By faults, they may not: no handler runs for the kernel.
    assert_eq!(read_zeros(&tracker(Backend::Faults, 2)), Err(Errno::EFAULT));
}
