//! Write tracking: no write is lost, whoever notices it, and whatever else goes on.

#![allow(clippy::single_range_in_vec_init, reason = "lists of ranges are what this is about")]

mod crowds;
mod outside;
#[path = "../support/mod.rs"]
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

use crowds::*;
use outside::*;

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
