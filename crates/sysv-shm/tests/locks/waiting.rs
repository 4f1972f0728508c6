//! Who stops others, for how long, and who is named.

use super::*;

pub fn a_stopped_writer_makes_readers_busy_and_no_more() {
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

pub fn a_stopped_reader_holds_nobody_up() {
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

pub fn waiting_ends_with_its_time_and_says_who_holds() {
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

pub fn a_set_of_another_size_is_not_taken_for_a_lock() {
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
