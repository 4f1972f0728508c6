//! Many threads, ten thousand ranges, and a fork.

use super::*;

pub fn threads_that_fault_on_one_page_all_go_on() {
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

pub fn among_ten_thousand_ranges_each_fault_finds_its_own() {
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

pub fn ranges_come_and_go_while_others_fault() {
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

pub fn a_child_made_by_fork_has_the_same_ranges() {
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
