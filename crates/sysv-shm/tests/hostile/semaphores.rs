//! A stranger who may write the semaphores, and does.

use std::time::Duration;

use ipc_common::{Errno, Key};
use sysv_shm::note::{NoteReader, NoteWriter, Reading, Wanted, status};
use sysv_shm::{Lock, Mode, Op, Opened, Segment, SemaphoreSet, Snapshot};
use testkit::{Random, peer};

use crate::tools::{self, Ground, any_text};

const MOMENT: Duration = Duration::from_millis(1);
/// The semaphores of a lock.
const LOCK: i32 = 0;
const SEQUENCE: i32 = 1;
const LAPS: i32 = 2;

fn use_lock(lock: Lock, random: &mut Random) -> usize {
    let mut worked = 0;
    let mut count = |ok: bool| worked += usize::from(ok);
    if let Ok(writing) = lock.acquire(MOMENT) {
        let _ = writing.before();
        match random.below(3) {
            0 => count(writing.finish().is_ok()),
            1 => drop(writing),
            _ => count(lock.acquire(Duration::ZERO).is_err()),
        }
    }
    let found = lock.read(|| 7);
    count(found.is_ok_and(|found| matches!(found, Snapshot::Whole { copy: 7, .. })));
    count(lock.state().is_ok());
    count(lock.owner().is_ok());
    count(lock.semaphores().stat().is_ok_and(|stat| stat.count > 0));
    worked
}

fn use_set(key: Key, random: &mut Random) -> usize {
    let mut worked = 0;
    let values: Vec<u16> = (0..random.below(5)).map(|_| random.any() as u16 % 40_000).collect();
    let opened = SemaphoreSet::open_or_create(key, &values, Mode::PRIVATE, MOMENT);
    let found = [opened.map(Opened::into_inner), SemaphoreSet::open(key, 3, MOMENT)];
    for set in found.into_iter().flatten() {
        let ops = [Op::wait_for_zero(0), Op::add(1, 40_000).undo(), Op::subtract(2, 3).at_once()];
        worked += usize::from(set.apply(&ops[random.below(3)..], MOMENT).is_ok());
        worked += usize::from(set.value(random.any() as u16).is_ok());
        worked += usize::from(set.values(3).is_ok());
        let _ = (set.set_value(1, random.any() as u16), set.waiting(1), set.last_pid(2));
    }
    if random.below(4) == 0 {
        worked += usize::from(SemaphoreSet::create(key, &[1, 2], Mode::PRIVATE).is_ok());
    }
    worked
}

pub fn whatever_becomes_of_the_semaphores_every_call_comes_back() {
    let ground = Ground::new();
    let key = ground.0;
    let wanted = Wanted::default();
    let mut writer = NoteWriter::open_or_create(key, &wanted).unwrap().into_inner();
    let mut reader = NoteReader::open(key).unwrap();
    let other = peer(move |random| {
        let set = tools::set_of(key.raw());
        let number = random.below(3);
        match random.below(12) {
            0 => tools::remove_set(key.raw()),
            1 => drop(tools::make_set(key.raw(), 1 + random.below(5) as i32, 0o600)),
            2..5 => drop(tools::make_set(key.raw(), 3, 0o600)),
            5 => tools::operate(set, LOCK as u16, 1, libc::IPC_NOWAIT),
            6 => tools::operate(set, SEQUENCE as u16, 1, libc::IPC_NOWAIT | libc::SEM_UNDO),
            7 => tools::operate(set, number as u16, -1, libc::IPC_NOWAIT | libc::SEM_UNDO),
            8 => tools::set_value(set, number as i32, random.below(32_768) as i32),
            9 => tools::set_value(set, LAPS, [0, 32_767][random.below(2)]),
            _ => tools::set_value(set, LOCK, 0),
        }
        std::thread::sleep(Duration::from_micros(random.below(300) as u64));
    });
    let (mut random, mut worked) = (Random::new(), 0);
    let mut rounds = other.rounds_until(300, 20_000);
    while rounds.next(worked > 99).is_some() {
        let mut count = |ok: bool| worked += usize::from(ok);
        count(writer.put(&any_text(&mut random, 1_025), MOMENT).is_ok());
        if let Ok(Reading::Whole { text, .. }) = reader.read() {
            count(text.len() <= 1024);
        }
        reader.wait(Duration::from_micros(10)).unwrap();
        count(status(key).unwrap().lock.is_ok());
        let _shown = format!("{:?}", NoteWriter::open_or_create(key, &wanted));
        for lock in [Lock::beside(key, Mode::PRIVATE), Lock::open(key)].into_iter().flatten() {
            worked += use_lock(lock, &mut random);
        }
        worked += use_set(key, &mut random);
        if random.below(20) == 0 {
            let _ = Lock::open(key).and_then(Lock::remove);
        }
    }
    assert!(worked > 99, "{worked} calls met what they were made for");
    assert!(Segment::open(key).is_ok(), "nobody touched the segment");
}

pub fn a_lock_that_is_held_for_ever_holds_up_nobody_for_longer_than_he_said() {
    let ground = Ground::new();
    let mut writer = NoteWriter::open_or_create(ground.0, &Wanted::default()).unwrap().into_inner();
    writer.put(b"before", MOMENT).unwrap();
    let lock = writer.lock();
    // Without SEM_UNDO: not even its death would release it.
    let set = lock.semaphores().id();
    let other = peer(move |_| {
        tools::set_value(set, LOCK, 1);
        tools::set_value(set, SEQUENCE, 5);
        std::thread::sleep(MOMENT);
    });
    for _ in other.soak(20, 500) {
        assert_eq!(writer.put(b"after", MOMENT).unwrap_err().errno(), Errno::EAGAIN);
        assert_eq!(lock.acquire(Duration::ZERO).unwrap_err().errno(), Errno::EAGAIN);
        assert_eq!(lock.read(|| ()).unwrap(), Snapshot::Busy);
        assert!(lock.state().unwrap().held);
        let mut reader = NoteReader::open(ground.0).unwrap();
        assert_eq!(reader.read().unwrap(), Reading::Busy);
        reader.wait(MOMENT).unwrap();
    }
    drop(other);
    // Dead, and the lock still held: a wait without end is what the limits are there against.
    assert_eq!(writer.put(b"after", MOMENT).unwrap_err().errno(), Errno::EAGAIN);
    lock.semaphores().set_value(LOCK as u16, 0).unwrap();
    writer.put(b"after", MOMENT).unwrap();
}

/// The values around which the sequence begins again, set between any two steps of ours.
pub fn who_tampers_with_the_values_cannot_make_the_sequence_wrap_or_panic() {
    let lock = Lock::private(Mode::PRIVATE).unwrap();
    let set = lock.semaphores().id();
    let other = peer(move |random| {
        let near_the_end = 32_764 + random.below(4) as i32;
        tools::set_value(set, SEQUENCE, near_the_end);
        tools::set_value(set, LAPS, near_the_end);
        if random.below(3) == 0 {
            tools::set_value(set, LOCK, random.below(3) as i32);
        }
        tools::set_value(set, LOCK, 0);
        std::thread::sleep(Duration::from_micros(random.below(20) as u64));
    });
    let (mut random, mut worked) = (Random::new(), 0);
    let mut rounds = other.rounds_until(5_000, 200_000);
    while rounds.next(worked > 99).is_some() {
        worked += use_lock(lock, &mut random);
        let sequence = lock.state().unwrap().sequence;
        assert!(sequence < 1 << 30, "15 bits of laps and 15 of sequence");
    }
    assert!(worked > 99, "{worked} calls met what they were made for");
    drop(other);
    lock.remove().unwrap();
}
