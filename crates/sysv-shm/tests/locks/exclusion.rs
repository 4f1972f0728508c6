//! One at a time, however many there are.

use super::*;

/// Not fetch_add: that an update is lost is what shows that two were inside.
fn add_one(counter: &AtomicU32) {
    let seen = counter.load(Ordering::Relaxed);
    thread::yield_now();
    counter.store(seen + 1, Ordering::Relaxed);
}

const ROUNDS: u32 = 500;

pub fn processes_exclude_each_other() {
    let (lock, memory) = (private(), shared(8));
    let counter = memory.view().atomic_u32(0).unwrap();
    let count = || {
        for _ in 0..ROUNDS {
            let writing = lock.acquire(LONG).unwrap();
            assert_eq!(writing.before(), Before::Whole);
            add_one(counter);
            writing.finish().unwrap();
        }
    };
    let children = [child(count), child(count), child(count)];
    children.into_iter().for_each(common::Child::succeed);
    assert_eq!(counter.load(Ordering::Relaxed), 3 * ROUNDS);
    let state = lock.state().unwrap();
    assert_eq!((state.held, state.sequence), (false, u64::from(2 * 3 * ROUNDS)));
    lock.remove().unwrap();
}

/// The wrong twin: the test above can fail.
pub fn without_the_lock_updates_are_lost() {
    let memory = shared(8);
    let counter = memory.view().atomic_u32(0).unwrap();
    let lost = (0..200).any(|_| {
        counter.store(0, Ordering::Relaxed);
        let count = || (0..ROUNDS).for_each(|_| add_one(counter));
        let children = [child(count), child(count), child(count)];
        children.into_iter().for_each(common::Child::succeed);
        counter.load(Ordering::Relaxed) < 3 * ROUNDS
    });
    assert!(lost, "no update was ever lost, so the test with the lock shows nothing");
}

pub fn threads_exclude_each_other() {
    let lock = private();
    let counter = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    let writing = lock.acquire(LONG).unwrap();
                    add_one(&counter);
                    writing.finish().unwrap();
                }
            });
        }
    });
    assert_eq!(counter.into_inner(), 3 * ROUNDS);
    lock.remove().unwrap();
}

pub fn a_new_lock_is_free_however_many_make_it_at_once() {
    for _ in 0..testkit::soak(15, 200) {
        let (key, memory) = (key(), shared(8));
        let counter = memory.view().atomic_u32(0).unwrap();
        let make_and_use = || {
            let lock = Lock::beside(key, Mode::PRIVATE).unwrap();
            for _ in 0..10 {
                let writing = lock.acquire(LONG).unwrap();
                add_one(counter);
                writing.finish().unwrap();
            }
        };
        let children: Vec<_> = (0..5).map(|_| child(make_and_use)).collect();
        children.into_iter().for_each(common::Child::succeed);
        assert_eq!(counter.load(Ordering::Relaxed), 50);
        Lock::open(key).unwrap().remove().unwrap();
    }
}

pub fn a_fork_does_not_hand_the_lock_on() {
    let lock = private();
    let writing = lock.acquire(NOW).unwrap();
    let mut copy = Some(writing);
    child(|| {
        let error = copy.take().unwrap().finish().unwrap_err();
        assert_eq!(error.errno(), Errno::EPERM);
    })
    .succeed();
    child(|| {
        drop(copy.take());
        // Asked here: the kernel would undo the child's release when the child ends.
        assert!(lock.state().unwrap().held, "a child has released its parent's lock");
    })
    .succeed();
    assert_eq!(lock.acquire(NOW).unwrap_err().errno(), Errno::EAGAIN);
    copy.unwrap().finish().unwrap();
    assert!(!lock.state().unwrap().held);
    lock.remove().unwrap();
}
