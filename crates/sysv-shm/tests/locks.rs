//! The lock beside a segment, and the mark "a write is under way".

mod common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use common::{LONG, child, key, sleeps, until};
use ipc_common::{Errno, Key};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, setgid, setuid};
use sysv_shm::note::{NoteReader, NoteWriter, Reading, Wanted, remove};
use sysv_shm::{AttachedWrite, Before, Lock, Mode, Op, Segment, SemaphoreSet, Snapshot};
use testkit::need;

testkit::cases! {
    processes_exclude_each_other needs need::sysv;
    without_the_lock_updates_are_lost needs need::sysv;
    threads_exclude_each_other needs need::sysv;
    a_new_lock_is_free_however_many_make_it_at_once needs need::sysv;
    a_fork_does_not_hand_the_lock_on needs need::sysv;
    a_writer_killed_in_the_middle_is_noticed needs need::sysv;
    a_holder_killed_before_it_wrote_leaves_a_whole_note needs need::sysv;
    a_write_given_up_halfway_counts_as_abandoned needs need::sysv;
    the_sequence_wraps_at_semvmx_and_still_grows needs need::sysv;
    a_reader_sees_a_wrap_as_a_change needs need::sysv;
    a_stopped_writer_makes_readers_busy_and_no_more needs need::sysv;
    a_stopped_reader_holds_nobody_up needs need::sysv;
    waiting_ends_with_its_time_and_says_who_holds needs need::sysv;
    a_set_of_another_size_is_not_taken_for_a_lock needs need::sysv;
    reading_takes_read_permission_only needs need::sysv, need::root;
    a_strangers_segment_is_not_adopted_though_its_mode_would_let_us needs need::sysv, need::root;
    a_strangers_lock_is_not_trusted needs need::sysv, need::root;
    tampered_semaphores_give_errors_and_never_hang needs need::sysv;
    a_lock_that_was_removed_by_hand_is_made_again needs need::sysv;
}

const NOW: Duration = Duration::ZERO;
/// The numbers of the semaphores, as the lock's documentation gives them.
const LOCK: u16 = 0;
const SEQUENCE: u16 = 1;
const LAPS: u16 = 2;

fn private() -> Lock {
    Lock::private(Mode::PRIVATE).unwrap()
}

fn shared(size: usize) -> AttachedWrite {
    let segment = Segment::create(Key::PRIVATE, size, Mode::PRIVATE).unwrap();
    let attached = segment.attach_write().unwrap();
    segment.mark_for_removal().unwrap();
    attached
}

/// Not fetch_add: that an update is lost is what shows that two were inside.
fn add_one(counter: &AtomicU32) {
    let seen = counter.load(Ordering::Relaxed);
    thread::yield_now();
    counter.store(seen + 1, Ordering::Relaxed);
}

const ROUNDS: u32 = 500;

fn processes_exclude_each_other() {
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
fn without_the_lock_updates_are_lost() {
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

fn threads_exclude_each_other() {
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

fn a_new_lock_is_free_however_many_make_it_at_once() {
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

fn a_fork_does_not_hand_the_lock_on() {
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

fn a_writer_killed_in_the_middle_is_noticed() {
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

fn a_holder_killed_before_it_wrote_leaves_a_whole_note() {
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

fn a_write_given_up_halfway_counts_as_abandoned() {
    let lock = private();
    drop(lock.acquire(NOW).unwrap());
    assert!(!lock.state().unwrap().held);
    assert_eq!(lock.read(|| ()).unwrap(), Snapshot::Abandoned);
    lock.remove().unwrap();
}

fn the_sequence_wraps_at_semvmx_and_still_grows() {
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
fn a_reader_sees_a_wrap_as_a_change() {
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

fn a_stopped_writer_makes_readers_busy_and_no_more() {
    let lock = private();
    let writer = child(|| {
        let writing = lock.acquire(NOW).unwrap();
        nix::sys::signal::raise(Signal::SIGSTOP).unwrap();
        writing.finish().unwrap();
    });
    until("it has stopped", || lock.state().unwrap().held && sleeps(writer.pid()));
    assert_eq!(lock.read(|| ()).unwrap(), Snapshot::Busy);
    writer.signal(Signal::SIGCONT);
    writer.succeed();
    assert!(matches!(lock.read(|| ()).unwrap(), Snapshot::Whole { .. }));
    lock.remove().unwrap();
}

fn a_stopped_reader_holds_nobody_up() {
    let (lock, memory) = (private(), shared(8));
    let looked = memory.view().atomic_u32(0).unwrap();
    let reader = child(|| {
        let read = lock.read(|| {
            if looked.fetch_add(1, Ordering::SeqCst) == 0 {
                nix::sys::signal::raise(Signal::SIGSTOP).unwrap();
            }
        });
        assert!(matches!(read.unwrap(), Snapshot::Whole { sequence: 2, .. }));
    });
    until("it has stopped", || looked.load(Ordering::SeqCst) == 1 && sleeps(reader.pid()));
    lock.acquire(NOW).expect("a reader holds no lock").finish().unwrap();
    reader.signal(Signal::SIGCONT);
    reader.succeed();
    assert_eq!(looked.load(Ordering::SeqCst), 2, "the first copy did not count");
    lock.remove().unwrap();
}

fn waiting_ends_with_its_time_and_says_who_holds() {
    let lock = private();
    let holder = child(|| {
        let _writing = lock.acquire(NOW).unwrap();
        loop {
            thread::park();
        }
    });
    until("it holds the lock", || lock.state().unwrap().sequence == 1);
    let error = lock.acquire(Duration::from_millis(20)).unwrap_err();
    assert_eq!((error.call(), error.errno()), ("semop", Errno::EAGAIN));
    assert_eq!(lock.state().unwrap().last_pid, holder.pid());
    holder.kill_9();
    drop(lock.acquire(NOW).unwrap());
    lock.remove().unwrap();
}

fn a_set_of_another_size_is_not_taken_for_a_lock() {
    for values in [&[0; 2][..], &[0; 4][..]] {
        let key = key();
        let foreign = SemaphoreSet::create(key, values, Mode::PRIVATE).unwrap();
        for error in [Lock::open(key).unwrap_err(), Lock::beside(key, Mode::PRIVATE).unwrap_err()] {
            assert_eq!(error.errno(), Errno::EEXIST, "{error}");
            assert!(error.remedy().contains(&format!("{} semaphores", values.len())), "{error}");
        }
        foreign.remove().unwrap();
    }
}

fn become_nobody() {
    setgid(Gid::from_raw(65534)).unwrap();
    setuid(Uid::from_raw(65534)).unwrap();
}

fn reading_takes_read_permission_only() {
    let key = key();
    let wanted = Wanted { size: None, mode: Some(Mode::new(0o644).unwrap()) };
    let mut writer = NoteWriter::open_or_create(key, &wanted).unwrap().into_inner();
    writer.put(b"for all to read", NOW).unwrap();
    child(|| {
        become_nobody();
        let mut reader = NoteReader::open(key).unwrap();
        assert_eq!(reader.read().unwrap().text().unwrap().to_string(), "for all to read");
        assert_eq!(reader.lock().unwrap().acquire(NOW).unwrap_err().errno(), Errno::EACCES);
        for size in [None, Some(1024)] {
            let wanted = Wanted { size, mode: None };
            let error = NoteWriter::open_or_create(key, &wanted).unwrap_err();
            assert_eq!(error.errno(), Errno::EACCES, "its mode keeps us out, whatever we name");
            assert!(error.remedy().contains("belongs to root"), "{error}");
        }
        assert_eq!(remove(key).unwrap_err().errno(), Errno::EPERM);
    })
    .succeed();
    remove(key).unwrap();
}

fn a_strangers_segment_is_not_adopted_though_its_mode_would_let_us() {
    let key = key();
    let wanted = Wanted { size: None, mode: Some(Mode::new(0o666).unwrap()) };
    let _writer = NoteWriter::open_or_create(key, &wanted).unwrap();
    child(|| {
        become_nobody();
        let error = NoteWriter::open_or_create(key, &Wanted::default()).unwrap_err();
        assert_eq!(error.errno(), Errno::EEXIST);
        assert!(error.remedy().contains("belongs to root"), "{error}");
        let wanted = Wanted { size: Some(1024), mode: None };
        let _ = NoteWriter::open_or_create(key, &wanted).expect("we named its size");
    })
    .succeed();
    remove(key).unwrap();
}

fn a_strangers_lock_is_not_trusted() {
    let key = key();
    let segment = Segment::create(key, 100, Mode::PRIVATE).unwrap();
    segment.set_owner(Uid::from_raw(65533), Gid::from_raw(65533)).unwrap();
    child(|| {
        become_nobody();
        Lock::beside(key, Mode::new(0o666).unwrap()).unwrap();
    })
    .succeed();
    let error = NoteReader::open(key).unwrap().read().unwrap_err();
    assert_eq!(error.errno(), Errno::EPERM, "{error}");
    let wanted = Wanted { size: Some(100), mode: None };
    assert_eq!(NoteWriter::open_or_create(key, &wanted).unwrap_err().errno(), Errno::EPERM);
    remove(key).unwrap();
}

fn tampered_semaphores_give_errors_and_never_hang() {
    let key = key();
    let vandal = child(|| {
        for round in 0u16.. {
            // Without a rest nobody would ever get far enough to be harmed.
            thread::sleep(Duration::from_micros(20));
            let Ok(lock) = Lock::beside(key, Mode::PRIVATE) else { continue };
            let set = lock.semaphores();
            let _ = set.set_value(round % 3, [0, 1, 2, 32766, 32767][usize::from(round % 5)]);
            if round.is_multiple_of(11) {
                let _ = set.remove();
                // Something larger, which may get the same id.
                if let Ok(other) = SemaphoreSet::create(key, &[1; 200], Mode::PRIVATE) {
                    let _ = other.remove();
                }
            }
        }
    });
    let (mut finished, mut rounds) = (0, 0);
    // If the vandal keeps us out all the time, the watchdog says so.
    while rounds < testkit::soak(1_000, 20_000) || finished == 0 {
        rounds += 1;
        let Ok(lock) = Lock::beside(key, Mode::PRIVATE) else { continue };
        let _ = lock.read(|| ());
        let _ = lock.state();
        let _ = lock.semaphores().values(300);
        if let Ok(writing) = lock.acquire(Duration::from_millis(1)) {
            finished += u32::from(writing.finish().is_ok());
        }
    }
    vandal.kill_9();
    // The vandal may have died between making its 200 semaphores and removing them, so what is left
    // need not be a lock.
    common::remove_set(key);
}

fn a_lock_that_was_removed_by_hand_is_made_again() {
    let key = key();
    let mut writer = NoteWriter::open_or_create(key, &Wanted::default()).unwrap().into_inner();
    let mut reader = NoteReader::open(key).unwrap();
    writer.put(b"one", NOW).unwrap();
    assert!(matches!(reader.read().unwrap(), Reading::Whole { sequence: 2, .. }));
    writer.lock().remove().unwrap();
    let found = reader.read().unwrap();
    assert_eq!(found.text().unwrap().to_string(), "one", "as any foreign segment");
    writer.put(b"two", NOW).unwrap();
    assert!(matches!(reader.read().unwrap(), Reading::Whole { sequence: 2, .. }));
    // With the segment gone too, a new note's lock must not be taken for ours.
    remove(key).unwrap();
    let mut newer = NoteWriter::open_or_create(key, &Wanted::default()).unwrap().into_inner();
    newer.put(b"three", NOW).unwrap();
    assert_eq!(reader.read().unwrap_err().errno(), Errno::EIDRM);
    assert_eq!(writer.put(b"four", NOW).unwrap_err().errno(), Errno::EIDRM);
    assert_eq!(newer.lock().state().unwrap().sequence, 2);
    remove(key).unwrap();
}
