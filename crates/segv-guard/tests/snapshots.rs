//! Snapshots: what the memory was at one moment, whatever is written since.

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use std::thread;

use ipc_common::{Errno, PageSize};
use nix::sys::wait::WaitStatus;
use segv_guard::install;
use segv_guard::uses::{Snapshot, Snapshots};
use support::{Random, in_child, mappings_that_can_be_used_up, use_up_mappings};

testkit::cases! {
    a_snapshot_is_what_the_memory_was;
    only_pages_that_are_written_are_copied_and_each_once;
    of_writes_in_order_a_snapshot_never_has_a_later_one_only;
    readers_and_writers_of_one_page_agree_on_what_was_before;
    when_no_mapping_is_left_more_is_copied_and_nothing_is_lost needs mappings_that_can_be_used_up;
    there_is_one_snapshot_at_a_time;
    a_child_made_by_fork_goes_on_with_its_snapshot;
}

fn page() -> usize {
    PageSize::system().bytes()
}

fn memory(pages: usize) -> Snapshots {
    Snapshots::new(install().unwrap(), pages * page()).unwrap()
}

fn all(snapshot: &Snapshot<'_>, len: usize) -> Vec<u8> {
    let mut bytes = vec![0xee; len];
    snapshot.read(0, &mut bytes).unwrap();
    bytes
}

fn load(snapshot: &Snapshot<'_>, offset: usize) -> u32 {
    let mut word = [0; 4];
    snapshot.read(offset, &mut word).unwrap();
    u32::from_ne_bytes(word)
}

fn a_snapshot_is_what_the_memory_was() {
    const PAGES: usize = 40;
    let memory = memory(PAGES);
    let mut random = Random(testkit::random_u64());
    let mut model = vec![0; PAGES * page()];
    for round in 0..testkit::soak(40, 2_000) {
        let before = model.clone();
        let snapshot = memory.snapshot().unwrap();
        for _ in 0..random.below(20) {
            let offset = random.below(PAGES * page());
            let len = random.below(2 * page()).min(PAGES * page() - offset);
            memory.view().fill(offset, len, round as u8).unwrap();
            model[offset..offset + len].fill(round as u8);
            let (from, some) = (random.below(PAGES * page()), random.below(300));
            let some = some.min(PAGES * page() - from);
            let mut bytes = vec![0; some];
            snapshot.read(from, &mut bytes).unwrap();
            assert!(bytes == before[from..from + some], "round {round}, {some} at {from}");
        }
        assert!(all(&snapshot, before.len()) == before, "round {round}");
        drop(snapshot);
        assert!(memory.view().read_vec(0, model.len()).unwrap() == model, "round {round}");
    }
}

fn only_pages_that_are_written_are_copied_and_each_once() {
    let memory = memory(100);
    let snapshot = memory.snapshot().unwrap();
    assert_eq!(snapshot.saved(), 0);
    memory.view().read_vec(0, 100 * page()).unwrap();
    assert_eq!(snapshot.saved(), 0);
    for _ in 0..3 {
        for number in [3, 50, 99] {
            memory.view().atomic_u32(number * page()).unwrap().fetch_add(1, Relaxed);
        }
    }
    assert_eq!(snapshot.saved(), 3);
    drop(snapshot);
    memory.view().fill(0, 100 * page(), 1).unwrap();
    assert_eq!(memory.snapshot().unwrap().saved(), 0);
}

/// Each writer counts through words of all pages, one after the other: in a snapshot, the counts
/// along its way may fall once, from this round's to the last one's, and never rise.
fn of_writes_in_order_a_snapshot_never_has_a_later_one_only() {
    const PAGES: usize = 6;
    const WRITERS: usize = 3;
    let memory = memory(PAGES);
    let view = memory.view();
    let stop = AtomicBool::new(false);
    let said = [const { AtomicU32::new(0) }; WRITERS];
    let place = |number: usize, step: usize| step * page() + number * 8;
    thread::scope(|scope| {
        for number in 0..WRITERS {
            let (said, stop) = (&said[number], &stop);
            scope.spawn(move || {
                for round in 1.. {
                    for step in 0..PAGES {
                        view.atomic_u32(place(number, step)).unwrap().store(round, Release);
                    }
                    said.store(round, Release);
                    if stop.load(Relaxed) {
                        return;
                    }
                }
            });
        }
        let look = || {
            let before = said.each_ref().map(|said| said.load(Acquire));
            let snapshot = memory.snapshot().unwrap();
            for (number, before) in before.into_iter().enumerate() {
                let counts: Vec<u32> =
                    (0..PAGES).map(|step| load(&snapshot, place(number, step))).collect();
                let (first, last) = (counts[0], counts[PAGES - 1]);
                let in_order = counts.is_sorted_by(|one, next| one >= next);
                if !in_order || first > last + 1 || last < before {
                    return Some(format!("{counts:?}, and {before} was over"));
                }
                // And again, after others have been saved: a snapshot does not change.
                let again: Vec<u32> =
                    (0..PAGES).map(|step| load(&snapshot, place(number, step))).collect();
                if again != counts {
                    return Some(format!("{counts:?}, then {again:?}"));
                }
            }
            None
        };
        let wrong = (0..testkit::soak(2_000, 100_000)).find_map(|_| look());
        // The writers have to end before anything is asserted: the scope waits for them.
        stop.store(true, Relaxed);
        assert_eq!(wrong, None);
    });
}

fn readers_and_writers_of_one_page_agree_on_what_was_before() {
    let memory = memory(1);
    let rounds = testkit::soak(300, 20_000);
    let (together, done) = (Barrier::new(9), Barrier::new(9));
    let snapshot = std::sync::RwLock::new(None);
    thread::scope(|scope| {
        for number in 0..8 {
            let (memory, together, done, snapshot) = (&memory, &together, &done, &snapshot);
            scope.spawn(move || {
                for round in 0..rounds as u32 {
                    together.wait();
                    let held = snapshot.read().unwrap();
                    let snapshot: &Snapshot<'_> = held.as_ref().unwrap();
                    if number % 2 == 0 {
                        let word = memory.view().atomic_u32(number * 8).unwrap();
                        assert_eq!(word.fetch_add(1, Relaxed), round);
                    }
                    let seen = load(snapshot, (number & !1) * 8);
                    assert_eq!(seen, round, "not what was before");
                    drop(held);
                    done.wait();
                }
            });
        }
        for _ in 0..rounds {
            *snapshot.write().unwrap() = Some(memory.snapshot().unwrap());
            together.wait();
            done.wait();
            *snapshot.write().unwrap() = None;
        }
    });
}

fn when_no_mapping_is_left_more_is_copied_and_nothing_is_lost() {
    const PAGES: usize = 128;
    let memory = memory(PAGES);
    (0..PAGES)
        .for_each(|number| memory.view().fill(number * page(), page(), number as u8).unwrap());
    let before = memory.view().read_vec(0, PAGES * page()).unwrap();
    let mut bytes = vec![0; PAGES * page()];
    let [ready, full, done] = [(); 3].map(|()| Barrier::new(5));
    thread::scope(|scope| {
        // Started before there is no room for their stacks.
        for number in 0..4 {
            let (memory, ready, full, done) = (&memory, &ready, &full, &done);
            scope.spawn(move || {
                ready.wait();
                for _ in 0..5 {
                    full.wait();
                    for step in (0..32).step_by(2) {
                        memory.view().write((number * 32 + step) * page(), b"new").unwrap();
                    }
                    done.wait();
                }
            });
        }
        ready.wait();
        let mappings = use_up_mappings();
        for round in 0..5 {
            let snapshot = memory.snapshot().unwrap();
            full.wait();
            done.wait();
            snapshot.read(0, &mut bytes).unwrap();
            if round == 0 {
                assert!(bytes == before);
            }
            assert_eq!(snapshot.saved(), PAGES, "all were saved");
        }
        drop(mappings);
    });
    assert_eq!(memory.view().read_vec(2 * page(), 4).unwrap(), b"new\x02");
    let snapshot = memory.snapshot().unwrap();
    memory.view().write(0, b"exact again").unwrap();
    assert_eq!(snapshot.saved(), 1);
}

fn there_is_one_snapshot_at_a_time() {
    let memory = memory(3);
    let snapshot = memory.snapshot().unwrap();
    assert_eq!(memory.snapshot().unwrap_err().errno(), Errno::EBUSY);
    assert_eq!(snapshot.read(3 * page() - 1, &mut [0; 2]).unwrap_err().errno(), Errno::ERANGE);
    snapshot.read(3 * page(), &mut []).unwrap();
    drop(snapshot);
    drop(memory.snapshot().unwrap());
}

fn a_child_made_by_fork_goes_on_with_its_snapshot() {
    let memory = memory(2);
    memory.view().write(0, b"before").unwrap();
    let snapshot = memory.snapshot().unwrap();
    let status = in_child(|| {
        memory.view().write(0, b"child!").unwrap();
        i32::from(&all(&snapshot, 6) != b"before")
    });
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
    memory.view().write(0, b"parent").unwrap();
    assert_eq!((all(&snapshot, 6), snapshot.saved()), (b"before".to_vec(), 1));
}
