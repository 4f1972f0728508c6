//! Semaphore sets: above all, that nobody sees one half made.

mod common;

use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{LONG, child, key, sleeps, until};
use ipc_common::{Errno, Key};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use sysv_shm::{Mode, Op, Segment, SemaphoreSet, limits};
use testkit::need;

testkit::cases! {
    of_many_processes_one_creates_and_all_see_the_first_value needs need::sysv;
    the_naive_way_is_seen_half_made_and_is_set_twice needs need::sysv;
    a_creator_that_died_in_between_is_named needs need::sysv;
    a_slow_creator_is_waited_for needs need::sysv;
    open_or_create_copes_with_others_who_remove needs need::sysv;
    a_set_of_another_size_is_refused needs need::sysv;
    what_no_set_can_hold_is_refused needs need::sysv;
    several_operations_happen_together_or_not_at_all needs need::sysv;
    death_undoes_what_was_marked_for_it_and_nothing_else needs need::sysv;
    a_wait_ends_with_its_time_with_a_signal_or_with_the_set needs need::sysv;
}

const NOW: Duration = Duration::ZERO;

fn private(values: &[u16]) -> SemaphoreSet {
    SemaphoreSet::create(Key::PRIVATE, values, Mode::PRIVATE).unwrap()
}

fn of_many_processes_one_creates_and_all_see_the_first_value() {
    for _ in 0..testkit::soak(15, 200) {
        let key = key();
        let tally = Segment::create(Key::PRIVATE, 8, Mode::PRIVATE).unwrap();
        let attached = tally.attach_write().unwrap();
        tally.mark_for_removal().unwrap();
        let created = attached.view().atomic_u32(0).unwrap();
        let children: Vec<_> = (0..6)
            .map(|_| {
                child(|| {
                    let opened =
                        SemaphoreSet::open_or_create(key, &[5, 7], Mode::PRIVATE, LONG).unwrap();
                    created.fetch_add(opened.is_created().into(), Ordering::SeqCst);
                    assert_eq!(opened.into_inner().values(2).unwrap(), [5, 7]);
                })
            })
            .collect();
        children.into_iter().for_each(common::Child::succeed);
        assert_eq!(created.load(Ordering::SeqCst), 1);
        SemaphoreSet::open(key, 2, NOW).unwrap().remove().unwrap();
    }
}

/// The wrong twin: `semget(IPC_CREAT)`, then `SETVAL`, as many a textbook has it.
fn the_naive_way_is_seen_half_made_and_is_set_twice() {
    let key = key();
    let naive = || {
        // SAFETY: semget takes numbers only.
        let id = unsafe { libc::semget(key.raw(), 1, libc::IPC_CREAT | 0o600) };
        SemaphoreSet::open_by_id(id)
    };
    // One process has created it, and is interrupted before its SETVAL ...
    let first = naive();
    // ... another finds it, and sees a value that nobody has set,
    child(|| assert_eq!(naive().value(0).unwrap(), 0)).succeed();
    // or sets it itself and takes the semaphore,
    child(|| {
        naive().set_value(0, 1).unwrap();
        naive().apply(&[Op::subtract(0, 1)], NOW).unwrap();
    })
    .succeed();
    // and then the first goes on, and there are two who have it.
    first.set_value(0, 1).unwrap();
    first.apply(&[Op::subtract(0, 1)], NOW).expect("this is what must not be possible");
    first.remove().unwrap();
}

/// What a creator leaves that dies between semget and the first values.
fn half_made(key: Key) -> SemaphoreSet {
    // SAFETY: semget takes numbers only.
    let id = unsafe { libc::semget(key.raw(), 1, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) };
    assert_ne!(id, -1);
    SemaphoreSet::open_by_id(id)
}

fn a_creator_that_died_in_between_is_named() {
    let key = key();
    let left = half_made(key);
    let short = Duration::from_millis(30);
    for error in [
        SemaphoreSet::open(key, 1, short).unwrap_err(),
        SemaphoreSet::open_or_create(key, &[1], Mode::PRIVATE, short).unwrap_err(),
    ] {
        assert_eq!((error.call(), error.errno()), ("semget", Errno::ETIMEDOUT));
        assert!(error.remedy().contains(&format!("ipcrm -s {}", left.id())), "{error}");
    }
    left.remove().unwrap();
}

fn a_slow_creator_is_waited_for() {
    let key = key();
    let set = half_made(key);
    let opener = child(|| {
        let set = SemaphoreSet::open(key, 1, LONG).unwrap();
        assert_eq!(set.value(0).unwrap(), 3);
    });
    sleep(Duration::from_millis(50));
    set.apply(&[Op::add(0, 3)], NOW).unwrap();
    opener.succeed();
    set.remove().unwrap();
}

fn open_or_create_copes_with_others_who_remove() {
    let key = key();
    let remover = child(|| {
        loop {
            if let Ok(set) = SemaphoreSet::open(key, 1, NOW) {
                let _ = set.remove();
            }
        }
    });
    let (mut created, mut rounds) = (0, 0);
    // On a busy machine the remover may not even have begun by then. (If it never gets in between,
    // the watchdog says so.)
    while rounds < testkit::soak(3_000, 100_000) || created < 2 {
        rounds += 1;
        // Our own create may find its new set removed before the first values: any errno of a
        // removed set will do, as long as it is an error.
        if let Ok(opened) = SemaphoreSet::open_or_create(key, &[1], Mode::PRIVATE, LONG) {
            created += u32::from(opened.is_created());
        }
    }
    remover.kill_9();
    common::remove_set(key);
}

fn a_set_of_another_size_is_refused() {
    let key = key();
    let set = SemaphoreSet::create(key, &[1, 2], Mode::PRIVATE).unwrap();
    // semget(2) is content with a set that is larger than asked for.
    for count in [1, 3] {
        let error = SemaphoreSet::open(key, count, NOW).unwrap_err();
        assert_eq!(error.errno(), Errno::EEXIST);
        assert!(error.remedy().contains("2 semaphores"), "{error}");
    }
    assert_eq!(SemaphoreSet::open(key, 2, NOW).unwrap(), set);
    let again = SemaphoreSet::create(key, &[1, 2], Mode::PRIVATE).unwrap_err();
    assert_eq!(again.errno(), Errno::EEXIST);
    set.remove().unwrap();
}

fn what_no_set_can_hold_is_refused() {
    let key = key();
    let create = |values: &[u16]| SemaphoreSet::create(key, values, Mode::PRIVATE).unwrap_err();
    assert_eq!(create(&[]).errno(), Errno::EINVAL);
    assert_eq!(create(&[32768]).errno(), Errno::ERANGE);
    let too_many =
        vec![1; usize::try_from(limits().unwrap().semaphores.most_operations).unwrap() + 1];
    assert_eq!(create(&too_many).errno(), Errno::E2BIG);
    assert_eq!(SemaphoreSet::open(key, 1, NOW).unwrap_err().errno(), Errno::ENOENT, "none is left");
    let unwritable = SemaphoreSet::create(key, &[1], Mode::new(0o400).unwrap());
    match unwritable {
        // Root may do everything.
        Ok(set) => set.remove().unwrap(),
        Err(error) => assert_eq!(error.errno(), Errno::EACCES),
    }
}

fn several_operations_happen_together_or_not_at_all() {
    let set = private(&[1, 0]);
    let both = [Op::subtract(0, 1), Op::subtract(1, 1)];
    assert_eq!(set.apply(&both, NOW).unwrap_err().errno(), Errno::EAGAIN);
    assert_eq!(set.values(2).unwrap(), [1, 0], "the first one was not done either");
    set.apply(&[Op::add(1, 1)], NOW).unwrap();
    set.apply(&both, NOW).unwrap();
    assert_eq!(set.values(2).unwrap(), [0, 0]);
    assert_eq!(set.apply(&[Op::add(2, 1)], NOW).unwrap_err().errno(), Errno::EFBIG);
    set.set_value(0, 32767).unwrap();
    assert_eq!(set.apply(&[Op::add(0, 1)], NOW).unwrap_err().errno(), Errno::ERANGE);
    assert_eq!(set.last_pid(0).unwrap(), std::process::id().cast_signed());
    set.remove().unwrap();
}

fn death_undoes_what_was_marked_for_it_and_nothing_else() {
    let set = private(&[10, 10]);
    let taker = child(|| {
        set.apply(&[Op::subtract(0, 3).undo(), Op::subtract(1, 3)], NOW).unwrap();
        loop {
            std::thread::park();
        }
    });
    until("it has taken them", || set.values(2).unwrap() == [7, 7]);
    taker.kill_9();
    assert_eq!(set.values(2).unwrap(), [10, 7]);
    set.remove().unwrap();
}

fn a_wait_ends_with_its_time_with_a_signal_or_with_the_set() {
    extern "C" fn nothing(_: i32) {}
    let set = private(&[0]);
    let take = [Op::subtract(0, 1)];
    let began = Instant::now();
    let limit = Duration::from_millis(30);
    assert_eq!(set.apply(&take, limit).unwrap_err().errno(), Errno::EAGAIN);
    assert!(began.elapsed() >= limit);

    let waits_until = |end: &dyn Fn(&common::Child), errno: &[Errno]| {
        let waiter = child(|| {
            // Even SA_RESTART does not restart semop (signal(7)).
            let action =
                SigAction::new(SigHandler::Handler(nothing), SaFlags::SA_RESTART, SigSet::empty());
            // SAFETY: the handler does nothing, which is safe at any moment.
            unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();
            let error = set.apply(&take, Duration::MAX).unwrap_err();
            assert!(errno.contains(&error.errno()), "{error}");
        });
        until("it waits", || set.waiting(0).unwrap() == 1 && sleeps(waiter.pid()));
        end(&waiter);
        waiter.succeed();
    };
    waits_until(&|waiter| waiter.signal(Signal::SIGUSR1), &[Errno::EINTR]);
    waits_until(&|_| set.remove().unwrap(), &[Errno::EIDRM, Errno::EINVAL]);
}
