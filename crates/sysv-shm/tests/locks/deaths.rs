//! Writers that die or give up, and the sequence that tells.

use super::*;

/// The numbers of the semaphores, as the lock's documentation gives them.
const LOCK: u16 = 0;

const SEQUENCE: u16 = 1;

const LAPS: u16 = 2;

pub fn a_writer_killed_in_the_middle_is_noticed() {
    let lock = private();
    let writer = child(|| {
        let _writing = lock.acquire(NOW).unwrap();
        loop {
            thread::park();
        }
    });
    until("it writes", || lock.state().unwrap().sequence == 1);
    assert_eq!(lock.read(|| ()).unwrap(), Snapshot::Busy);
    writer.kill_9();
    assert_eq!(lock.read(|| ()).unwrap(), Snapshot::Abandoned);
    let writing = lock.acquire(NOW).unwrap();
    assert_eq!(writing.before(), Before::Abandoned);
    assert_eq!(lock.read(|| ()).unwrap(), Snapshot::Busy);
    writing.finish().unwrap();
    assert_eq!(lock.read(|| 7).unwrap(), Snapshot::Whole { copy: 7, sequence: 2 });
    assert_eq!(lock.acquire(NOW).unwrap().before(), Before::Whole);
    lock.remove().unwrap();
}

pub fn a_holder_killed_before_it_wrote_leaves_a_whole_note() {
    let lock = private();
    let holder = child(|| {
        // The first half of `acquire`.
        let take = [Op::wait_for_zero(LOCK), Op::add(LOCK, 1).undo()];
        lock.semaphores().apply(&take, NOW).unwrap();
        loop {
            thread::park();
        }
    });
    until("it holds the lock", || lock.state().unwrap().held);
    assert_eq!(lock.state().unwrap().last_pid, holder.pid());
    holder.kill_9();
    assert_eq!(lock.read(|| ()).unwrap(), Snapshot::Whole { copy: (), sequence: 0 });
    let writing = lock.acquire(NOW).unwrap();
    assert_eq!(writing.before(), Before::Whole);
    writing.finish().unwrap();
    lock.remove().unwrap();
}

pub fn a_write_given_up_halfway_counts_as_abandoned() {
    let lock = private();
    drop(lock.acquire(NOW).unwrap());
    assert!(!lock.state().unwrap().held);
    assert_eq!(lock.read(|| ()).unwrap(), Snapshot::Abandoned);
    lock.remove().unwrap();
}

pub fn the_sequence_wraps_at_semvmx_and_still_grows() {
    let lock = private();
    lock.semaphores().set_value(SEQUENCE, 32760).unwrap();
    let mut last = 32760;
    for _ in 0..10 {
        let writing = lock.acquire(NOW).unwrap();
        assert_eq!(writing.before(), Before::Whole);
        assert_eq!(lock.state().unwrap().sequence, last + 1);
        writing.finish().unwrap();
        let Snapshot::Whole { sequence, .. } = lock.read(|| ()).unwrap() else { panic!() };
        assert_eq!(sequence, last + 2);
        last = sequence;
    }
    assert_eq!(lock.semaphores().values(3).unwrap(), [0, 12, 1]);
    // A writer that dies at the very top.
    lock.semaphores().set_value(SEQUENCE, 32766).unwrap();
    drop(lock.acquire(NOW).unwrap());
    assert_eq!(lock.semaphores().value(SEQUENCE).unwrap(), 32767);
    let writing = lock.acquire(NOW).unwrap();
    assert_eq!(writing.before(), Before::Abandoned);
    writing.finish().unwrap();
    assert_eq!(lock.semaphores().values(3).unwrap(), [0, 0, 2]);
    // And the laps themselves.
    lock.semaphores().set_value(SEQUENCE, 32766).unwrap();
    lock.semaphores().set_value(LAPS, 32767).unwrap();
    lock.acquire(NOW).unwrap().finish().unwrap();
    assert_eq!(lock.semaphores().values(3).unwrap(), [0, 0, 0]);
    lock.remove().unwrap();
}

/// Without the laps, a reader that sleeps through all 16,384 writes of a lap would take the sequence
/// for unchanged.
pub fn a_reader_sees_a_wrap_as_a_change() {
    let lock = private();
    let mut writes = 0;
    let read = lock.read(|| {
        if writes == 0 {
            while writes < 16384 {
                lock.acquire(NOW).unwrap().finish().unwrap();
                writes += 1;
            }
            return "torn";
        }
        "whole"
    });
    assert_eq!(lock.semaphores().value(SEQUENCE).unwrap(), 0, "back where it began");
    assert_eq!(read.unwrap(), Snapshot::Whole { copy: "whole", sequence: 32768 });
    lock.remove().unwrap();
}
