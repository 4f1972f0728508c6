//! Pages that are filled when they are touched: once each, whole, by whichever thread.

mod failures;
#[path = "../support/mod.rs"]
mod support;

use std::collections::HashSet;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::thread;

use ipc_common::view::WriteView;
use ipc_common::{Errno, Error, PageSize};
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use segv_guard::install;
use segv_guard::region::Region;
use segv_guard::uses::Pager;
use support::{
    Random, in_child, mappings_that_can_be_used_up, use_up_mappings, use_up_mappings_by,
};

use failures::*;

testkit::cases! {
    a_page_is_filled_when_it_is_touched_and_never_again;
    threads_that_touch_one_page_all_see_it_whole;
    what_was_written_stays_and_the_rest_is_as_filled;
    an_error_of_the_function_reaches_the_reader_and_the_next_touch_tries_again;
    a_function_that_panics_is_an_error_and_not_the_end;
    a_function_that_touches_its_own_pager_does_not_wait_for_itself;
    an_atomic_on_a_page_that_cannot_be_filled_is_a_crash_like_any_other;
    when_no_mapping_is_left_pages_between_are_filled_too needs mappings_that_can_be_used_up;
    removing_one_pager_waits_for_no_other;
    a_child_made_by_fork_has_the_pages_but_not_the_thread;
    sizes_that_cannot_be_are_refused;
}

fn page() -> usize {
    PageSize::system().bytes()
}

/// What page `number` holds: its number in every word.
fn fill(number: usize, bytes: &mut [u8]) {
    bytes.chunks_exact_mut(4).for_each(|word| word.copy_from_slice(&(number as u32).to_ne_bytes()));
}

/// A pager that counts.
fn counting(pages: usize) -> (Pager, Arc<Mutex<Vec<usize>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let pager = Pager::new(install().unwrap(), pages * page(), move |number, bytes| {
        assert!(bytes.len() == page() && bytes.iter().all(|byte| *byte == 0), "not all 0");
        log.lock().unwrap().push(number);
        fill(number, bytes);
        Ok(())
    });
    (pager.unwrap(), asked)
}

fn word(view: WriteView<'_>, number: usize) -> u32 {
    view.load_u32(number * page() + 4 * (number % 1024), Relaxed).unwrap()
}

fn a_page_is_filled_when_it_is_touched_and_never_again() {
    let (pager, asked) = counting(1_000);
    assert_eq!((pager.pages(), pager.filled()), (1_000, 0));
    for number in [7, 999, 0, 7, 500, 0] {
        assert_eq!(word(pager.view(), number), number as u32);
    }
    // A copy over an edge, read and written.
    let mut bytes = [0; 8];
    pager.view().read(21 * page() - 4, &mut bytes).unwrap();
    assert_eq!(bytes[..4], 20_u32.to_ne_bytes());
    assert_eq!(bytes[4..], 21_u32.to_ne_bytes());
    pager.write(31 * page() - 1, &[1, 2]).unwrap();
    assert_eq!(*asked.lock().unwrap(), [7, 999, 0, 500, 20, 21, 30, 31]);
    assert_eq!(pager.filled(), 8);
}

fn threads_that_touch_one_page_all_see_it_whole() {
    let rounds = testkit::soak(200, 5_000);
    let (pager, asked) = counting(rounds);
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            let (pager, together) = (&pager, &together);
            scope.spawn(move || {
                let mut bytes = vec![0; page()];
                for number in 0..rounds {
                    together.wait();
                    pager.view().read(number * page(), &mut bytes).unwrap();
                    let words = bytes.chunks_exact(4);
                    let number = number as u32;
                    assert!(words.into_iter().all(|word| word == number.to_ne_bytes()));
                }
            });
        }
    });
    assert_eq!(*asked.lock().unwrap(), (0..rounds).collect::<Vec<_>>(), "each once");
}

fn what_was_written_stays_and_the_rest_is_as_filled() {
    const PAGES: usize = 300;
    let (pager, asked) = counting(PAGES);
    let mut random = Random(testkit::random_u64());
    let mut model = vec![0; PAGES * page()];
    model.chunks_exact_mut(page()).enumerate().for_each(|(number, bytes)| fill(number, bytes));
    let mut touched = HashSet::new();
    for round in 0..testkit::soak(300, 20_000) {
        let offset = random.below(PAGES * page());
        let len = random.below(3 * page()).min(PAGES * page() - offset);
        if round % 2 == 0 {
            let bytes = vec![round as u8; len];
            pager.write(offset, &bytes).unwrap();
            model[offset..offset + len].copy_from_slice(&bytes);
        } else {
            let mut bytes = vec![0; len];
            pager.read(offset, &mut bytes).unwrap();
            assert!(bytes == model[offset..offset + len], "{len} bytes at {offset}");
        }
        touched.extend(pager.page_size().touched(offset, len).unwrap());
    }
    let asked = asked.lock().unwrap();
    assert_eq!(asked.iter().copied().collect::<HashSet<_>>(), touched);
    assert_eq!(asked.len(), touched.len());
}

fn when_no_mapping_is_left_pages_between_are_filled_too() {
    const PAGES: usize = 1_600;
    let (pager, asked) = counting(PAGES);
    let (untouched, asked_of_untouched) = counting(8);
    let touched: Vec<usize> = (0..133).map(|n| n * 89 % 133 * 12).collect();
    let spare = Region::new(1_000 * page()).unwrap();
    asked.lock().unwrap().reserve(PAGES);
    let [ready, full, done, over] = [(); 4].map(|()| Barrier::new(5));
    thread::scope(|scope| {
        // Started before there is no room for their stacks. What one touches, another's page may
        // bring along.
        for number in 0..4 {
            let (pager, touched) = (&pager, &touched);
            let (ready, full, done, over) = (&ready, &full, &done, &over);
            scope.spawn(move || {
                ready.wait();
                full.wait();
                for page in touched {
                    let page = page + number * 3;
                    assert_eq!(word(pager.view(), page), page as u32);
                }
                done.wait();
                // A thread that ends gives its stack's mappings back.
                over.wait();
            });
        }
        ready.wait();
        let mappings = use_up_mappings();
        full.wait();
        done.wait();
        // None at all is left for this one: the whole of it is filled.
        use_up_mappings_by(&spare);
        assert_eq!(word(untouched.view(), 5), 5);
        over.wait();
        drop(mappings);
    });
    // A copy: held, the lock would be what `fill` waits for below.
    let asked = asked.lock().unwrap().clone();
    let distinct: HashSet<usize> = asked.iter().copied().collect();
    assert_eq!(distinct.len(), asked.len(), "none twice");
    assert!(asked.len() > 4 * touched.len(), "{} pages: mappings were left", asked.len());
    assert_eq!(asked_of_untouched.lock().unwrap().len(), 8);
    for number in 0..PAGES {
        assert_eq!(word(pager.view(), number), number as u32);
    }
}

fn removing_one_pager_waits_for_no_other() {
    let (inside, go) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (at, gone) = (inside.clone(), go.clone());
    let slow = Pager::new(install().unwrap(), page(), move |_, _| {
        at.store(true, SeqCst);
        while !gone.load(SeqCst) {
            thread::yield_now();
        }
        // Pagers may come and go even in here.
        let (other, _) = counting(2);
        assert_eq!(word(other.view(), 1), 1);
        Ok(())
    })
    .unwrap();
    thread::scope(|scope| {
        scope.spawn(|| slow.view().read(0, &mut [0]).unwrap());
        while !inside.load(SeqCst) {
            thread::yield_now();
        }
        for _ in 0..20 {
            let (other, _) = counting(2);
            assert_eq!(word(other.view(), 1), 1);
        }
        go.store(true, SeqCst);
    });
}

fn a_child_made_by_fork_has_the_pages_but_not_the_thread() {
    let (pager, _) = counting(4);
    assert_eq!(word(pager.view(), 1), 1);
    let status = in_child(|| {
        let there = word(pager.view(), 1) == 1;
        let copied = pager.view().read(2 * page(), &mut [0; 10]);
        i32::from(!there || copied.is_ok())
    });
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
    assert_eq!(word(pager.view(), 2), 2);
}

fn sizes_that_cannot_be_are_refused() {
    let guard = install().unwrap();
    for (bytes, errno) in
        [(0, Errno::EINVAL), (usize::MAX, Errno::EFBIG), (usize::MAX / 2, Errno::EFBIG)]
    {
        assert_eq!(Pager::new(guard, bytes, |_, _| Ok(())).unwrap_err().errno(), errno, "{bytes}");
    }
}
