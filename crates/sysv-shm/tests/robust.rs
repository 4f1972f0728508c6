//! The robust mutex: what holds among peers that keep to its rules.

mod common;

use common::child;
use ipc_common::{Errno, Key};
use std::sync::atomic::Ordering;
use sysv_shm::robust::{Locked, RobustMutex};
use sysv_shm::{AttachedWrite, Mode, Segment};
use testkit::need;

testkit::cases! {
    two_processes_exclude_each_other needs need::sysv;
    the_next_owner_hears_of_a_death_and_repairs needs need::sysv;
    unlocking_without_repair_makes_it_useless needs need::sysv;
    a_place_that_does_not_fit_is_refused needs need::sysv;
}

/// The mutex at offset 0, what it guards behind it.
const GUARDED: usize = RobustMutex::SIZE.next_multiple_of(8);

fn attached() -> AttachedWrite {
    let segment = Segment::create(Key::PRIVATE, 4096, Mode::PRIVATE).unwrap();
    let attached = segment.attach_write().unwrap();
    segment.mark_for_removal().unwrap();
    attached
}

fn init(attached: &AttachedWrite) -> RobustMutex<'_> {
    // SAFETY: the segment is new and private, so this is the first and only time; only the
    // children of these tests use it, and they keep to the rules.
    unsafe { RobustMutex::init(attached.view(), 0) }.unwrap()
}

fn lock(mutex: RobustMutex<'_>) -> ipc_common::Result<Locked<'_>> {
    // SAFETY: no test locks twice on one thread, forgets a guard, or detaches while it holds one,
    // but by dying.
    unsafe { mutex.lock() }
}

fn two_processes_exclude_each_other() {
    const ROUNDS: u32 = 20_000;
    let attached = attached();
    let mutex = init(&attached);
    let counter = attached.view().atomic_u32(GUARDED).unwrap();
    let count = || {
        for _ in 0..ROUNDS {
            let guard = lock(mutex).unwrap();
            assert!(matches!(guard, Locked::Clean(_)));
            // Not fetch_add: a lost update is what shows that two were inside.
            counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    };
    let others = [child(count), child(count)];
    count();
    others.into_iter().for_each(common::Child::succeed);
    assert_eq!(counter.load(Ordering::Relaxed), 3 * ROUNDS);
}

fn die_holding(mutex: RobustMutex<'_>) {
    child(|| {
        let _guard = lock(mutex).unwrap();
        // SAFETY: _exit ends the process at once; the kernel finds the mutex in its robust list.
        unsafe { libc::_exit(0) }
    })
    .succeed();
}

fn the_next_owner_hears_of_a_death_and_repairs() {
    let attached = attached();
    let mutex = init(&attached);
    die_holding(mutex);
    match lock(mutex).unwrap() {
        Locked::OwnerDied(guard) => guard.make_consistent().unwrap(),
        Locked::Clean(_) => panic!("nobody said that the owner died"),
    }
    child(|| match lock(mutex).unwrap() {
        Locked::Clean(guard) => assert!(guard.make_consistent().is_err(), "nothing to repair"),
        Locked::OwnerDied(_) => panic!("it was repaired"),
    })
    .succeed();
}

fn unlocking_without_repair_makes_it_useless() {
    let attached = attached();
    let mutex = init(&attached);
    die_holding(mutex);
    assert!(matches!(lock(mutex).unwrap(), Locked::OwnerDied(_)));
    let error = lock(mutex).unwrap_err();
    assert_eq!(error.errno(), Errno::ENOTRECOVERABLE);
    assert!(error.remedy().contains("pthread_mutex_consistent"));
}

fn a_place_that_does_not_fit_is_refused() {
    let attached = attached();
    for (offset, errno) in [(4096 - RobustMutex::SIZE + 1, Errno::ERANGE), (1, Errno::EINVAL)] {
        // SAFETY: it is refused before anything is touched, which is what is tested.
        let refused = unsafe { RobustMutex::at(attached.view(), offset) };
        assert_eq!(refused.unwrap_err().errno(), errno);
    }
}
