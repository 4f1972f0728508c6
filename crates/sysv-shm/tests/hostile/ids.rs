//! A stranger who removes, recreates and changes what stands behind a key or an id.

use std::time::Duration;

use ipc_common::{Errno, Key};
use nix::unistd::{Gid, Uid};
use sysv_shm::note::{NoteReader, NoteWriter, Wanted, remove, status};
use sysv_shm::{Mode, Op, Opened, Place, Segment, SemaphoreSet, limits, list};
use testkit::{Random, peer};

use crate::tools::{self, Ground, any_text};

const MOMENT: Duration = Duration::from_millis(1);

/// The one error that "is it removed?" may have, for who is not root.
fn only_shut_out(error: ipc_common::Error) -> bool {
    assert_eq!(error.errno(), Errno::EACCES, "{error}");
    false
}

fn every_call_on(key: Key, random: &mut Random) -> usize {
    let mut worked = 0;
    let mut count = |ok: bool| worked += usize::from(ok);
    let size = 1 + random.below(9_000);
    let mode = [Mode::PRIVATE, Mode::new(0o640).unwrap()][random.below(2)];

    if let Ok(opened) = Segment::open_or_create(key, size, mode) {
        let created = opened.is_created();
        let segment = opened.into_inner();
        if let Ok(attached) = segment.attach_write() {
            let len = attached.view().len();
            assert!(!created || len == size, "ours, so it has our size");
            // Attached, so it cannot go; but who is not root may be shut out of looking.
            match segment.stat() {
                Ok(stat) => assert_eq!(stat.size, len),
                Err(error) => assert_eq!(error.errno(), Errno::EACCES),
            }
            attached.view().fill(0, len, 1).unwrap();
            count(attached.detach().is_ok());
        }
    }
    count(Segment::create(key, size, mode).is_ok());
    count(Segment::open_at_least(key, size).is_ok());
    if let Ok(segment) = Segment::open(key) {
        count(segment.stat().is_ok());
        count(segment.is_removed().unwrap_or_else(only_shut_out));
        count(segment.set_mode(mode).is_ok());
        count(segment.set_owner(Uid::effective(), Gid::effective()).is_ok());
        let attached = segment.attach_read_at(Place::RoundedDown(random.any() as usize >> 17));
        count(
            attached.is_ok_and(|attached| {
                attached.view().text().unwrap().len() <= attached.view().len()
            }),
        );
        count(segment.mark_for_removal().is_ok());
    }
    let wanted = Wanted { size: Some(size).filter(|_| random.below(2) == 0), mode: None };
    if let Ok(mut writer) = NoteWriter::open_or_create(key, &wanted).map(Opened::into_inner) {
        count(writer.put(&any_text(random, 1_100), MOMENT).is_ok());
        count(writer.lock().state().is_ok());
        let longest = writer.size();
        count(writer.put(&vec![b'w'; longest - 1], MOMENT).is_ok());
    }
    if let Ok(mut reader) = NoteReader::open(key) {
        for _ in 0..3 {
            count(reader.read().is_ok());
            reader.wait(Duration::from_micros(10)).unwrap();
            count(reader.is_removed().unwrap_or_else(only_shut_out));
        }
        reader.detach().unwrap();
    }
    count(status(key).is_ok());
    count(list().unwrap().iter().any(|stat| stat.key == key));
    limits().unwrap();
    count(remove(key).is_ok());
    worked
}

pub fn whatever_becomes_of_the_segment_every_call_comes_back() {
    let ground = Ground::new();
    let key = ground.0;
    let other = peer(move |random| {
        let mode = [0o600, 0o644, 0o000, 0o777][random.below(4)];
        let id = tools::make_segment(key.raw(), 1 + random.below(9_000), mode);
        match random.below(4) {
            0 => tools::set_segment_mode(id, random.any() as u16 & 0o777),
            1 => tools::remove_set(key.raw()),
            _ => tools::remove_segment(key.raw()),
        }
    });
    let (mut random, mut worked) = (Random::new(), 0);
    let mut rounds = other.rounds_until(300, 20_000);
    while rounds.next(worked > 99).is_some() {
        worked += every_call_on(key, &mut random);
    }
    assert!(worked > 99, "{worked} calls met what they were made for");
}

/// The size is asked for in a second call. Asked before the first, it would be another segment's.
pub fn a_view_is_never_longer_than_what_was_attached() {
    testkit::enter_namespaces();
    let ground = Ground::new();
    let id = tools::make_segment(ground.0.raw(), 1, 0o600);
    let other = peer(move |random| {
        let size = [1, 4096, 1 << 20][random.below(3)];
        tools::make_next_id("shm", id);
        let made = tools::make_segment(0, size, 0o600);
        std::thread::sleep(Duration::from_micros(random.below(200) as u64));
        // SAFETY: numbers only. The id is free again for another size.
        unsafe {
            libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut());
            libc::shmctl(made, libc::IPC_RMID, std::ptr::null_mut());
        }
    });
    let (mut sizes, mut random) = (std::collections::BTreeSet::new(), Random::new());
    for _ in other.soak(20_000, 400_000) {
        let Ok(attached) = Segment::open_by_id(id).attach_write() else { continue };
        let view = attached.view();
        // Behind the segment there is nothing, or something else.
        view.write(view.len() - 1, &[random.any() as u8]).unwrap();
        view.read_vec(view.len() - 1, 1).unwrap();
        sizes.insert(view.len());
    }
    assert!(sizes.len() == 3 && other.rounds() > 9, "the same id has had sizes {sizes:?}");
    drop(other);
    // All that is left in this namespace is ours.
    for stat in list().unwrap() {
        Segment::open_by_id(stat.id).mark_for_removal().unwrap();
    }
}

pub fn a_set_that_shrinks_under_its_id_is_never_read_past_its_end() {
    testkit::enter_namespaces();
    let ground = Ground::new();
    let id = tools::make_set(ground.0.raw(), 1, 0o600);
    let other = peer(move |random| {
        let count = [1, 3, 200][random.below(3)];
        tools::make_next_id("sem", id);
        let made = tools::make_set(0, count, 0o600);
        std::thread::sleep(Duration::from_micros(random.below(200) as u64));
        // SAFETY: numbers only.
        unsafe {
            libc::semctl(id, 0, libc::IPC_RMID);
            libc::semctl(made, 0, libc::IPC_RMID);
        }
    });
    let (set, mut random) = (SemaphoreSet::open_by_id(id), Random::new());
    let mut counts = std::collections::BTreeSet::new();
    for _ in other.soak(5_000, 100_000) {
        counts.extend(set.stat().ok().map(|stat| stat.count));
        let number = random.below(300) as u16;
        assert!(set.values(number).map_or(true, |values| values.len() == usize::from(number)));
        let _ = (set.value(number), set.last_pid(number), set.waiting(number));
        let _ = set.set_value(number, random.any() as u16);
        let ops: Vec<Op> = (0..random.below(600) as u16).map(|n| Op::add(n, 9).undo()).collect();
        let _ = set.apply(&ops, Duration::ZERO);
        let gone = set.apply(&[Op::subtract(number, 1)], Duration::from_micros(50));
        assert!(gone.is_ok() || gone.is_err_and(|error| error.errno() != Errno::EFAULT));
    }
    assert!(counts.len() >= 3 && other.rounds() > 9, "the same id has had counts {counts:?}");
    drop(other);
    tools::remove_all_sets();
}
