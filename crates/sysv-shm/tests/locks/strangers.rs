//! Other users' segments and locks.

use super::*;

fn become_nobody() {
    setgid(Gid::from_raw(65534)).unwrap();
    setuid(Uid::from_raw(65534)).unwrap();
}

pub fn reading_takes_read_permission_only() {
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

pub fn a_strangers_segment_is_not_adopted_though_its_mode_would_let_us() {
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

pub fn a_strangers_lock_is_not_trusted() {
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

pub fn tampered_semaphores_give_errors_and_never_hang() {
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

pub fn a_lock_that_was_removed_by_hand_is_made_again() {
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
