//! Who creates, and what a key leads to.

use super::*;

pub fn a_key_in_use_is_not_created_again() {
    let key = key();
    let first = Segment::create(key, 100, Mode::PRIVATE).unwrap();
    let error = Segment::create(key, 100, Mode::PRIVATE).unwrap_err();
    assert_eq!((error.call(), error.errno()), ("shmget", Errno::EEXIST));
    assert_eq!(Segment::open(key).unwrap(), first);
    first.mark_for_removal().unwrap();
    assert_eq!(Segment::open(key).unwrap_err().errno(), Errno::ENOENT);
}

pub fn a_new_segment_is_all_zero_and_has_the_size_that_was_asked_for() {
    let segment = private(5000);
    let attached = segment.attach_read().unwrap();
    segment.mark_for_removal().unwrap();
    // Not that of its two pages.
    assert_eq!(attached.view().len(), 5000);
    assert!(attached.view().read_vec(0, 5000).unwrap().iter().all(|byte| *byte == 0));
    assert_eq!(segment.stat().unwrap().mode, Mode::PRIVATE);
}

pub fn a_segment_of_another_size_or_mode_is_never_adopted() {
    let key = key();
    let wide = Mode::new(0o640).unwrap();
    let segment = Segment::create(key, 1024, wide).unwrap();
    assert_eq!(Segment::open_or_create(key, 1024, wide).unwrap(), Opened::Existing(segment));
    // The kernel itself would give us the segment in all of these but the second.
    for (size, mode, named) in [
        (1000, wide, ["1024", "1000"]),
        (1025, wide, ["1024", "1025"]),
        (1024, Mode::PRIVATE, ["0640", "0600"]),
    ] {
        let error = Segment::open_or_create(key, size, mode).unwrap_err();
        assert_eq!(error.errno(), Errno::EEXIST);
        for part in named {
            assert!(error.to_string().contains(part), "{error} lacks {part}");
        }
    }
    segment.mark_for_removal().unwrap();
}

pub fn of_many_processes_exactly_one_creates() {
    for _ in 0..testkit::soak(10, 100) {
        let (key, tally) = (key(), private(8));
        let attached = tally.attach_write().unwrap();
        tally.mark_for_removal().unwrap();
        let created = attached.view().atomic_u32(0).unwrap();
        let children: Vec<_> = (0..6)
            .map(|_| {
                child(|| {
                    if Segment::open_or_create(key, 64, Mode::PRIVATE).unwrap().is_created() {
                        created.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        children.into_iter().for_each(common::Child::succeed);
        assert_eq!(created.load(Ordering::SeqCst), 1);
        Segment::open(key).unwrap().mark_for_removal().unwrap();
    }
}

pub fn open_or_create_copes_with_others_who_remove() {
    let key = key();
    let remover = child(|| {
        loop {
            if let Ok(segment) = Segment::open(key) {
                let _ = segment.mark_for_removal();
            }
        }
    });
    let (mut created, mut rounds) = (0, 0);
    // On a busy machine the remover may not even have begun by then. (If it never gets in between,
    // the watchdog says so.)
    while rounds < testkit::soak(3_000, 100_000) || created < 2 {
        rounds += 1;
        match Segment::open_or_create(key, 64, Mode::PRIVATE) {
            Ok(opened) => created += u32::from(opened.is_created()),
            // The one honest way to give up.
            Err(error) => assert_eq!(error.errno(), Errno::EAGAIN, "{error}"),
        }
    }
    remover.kill_9();
    if let Ok(segment) = Segment::open(key) {
        segment.mark_for_removal().unwrap();
    }
}

pub fn einval_says_which_of_its_cases_it_is() {
    let key = key();
    let largest = limits().unwrap().largest_segment;
    let empty = Segment::create(key, 0, Mode::PRIVATE).unwrap_err();
    assert!(empty.remedy().contains("SHMMIN"), "{empty}");
    let huge = Segment::create(key, usize::MAX, Mode::PRIVATE).unwrap_err();
    assert!(huge.remedy().contains("SHMMAX"), "{huge}");
    assert!(largest > 0);

    let small = Segment::create(key, 1024, Mode::PRIVATE).unwrap();
    let larger = Segment::open_at_least(key, 1025).unwrap_err();
    assert!(larger.remedy().contains("1024 bytes"), "{larger}");
    assert_eq!(Segment::open_at_least(key, 1024).unwrap(), small);
    small.mark_for_removal().unwrap();
    for error in [empty, huge, larger] {
        assert_eq!((error.call(), error.errno()), ("shmget", Errno::EINVAL));
    }
}

pub fn ipc_private_is_never_found() {
    let segment = private(10);
    assert_eq!(Segment::open(Key::PRIVATE).unwrap_err().errno(), Errno::EINVAL);
    // Not the one above: a new one.
    let another = Segment::open_or_create(Key::PRIVATE, 10, Mode::PRIVATE).unwrap();
    assert!(another.is_created());
    another.into_inner().mark_for_removal().unwrap();
    segment.mark_for_removal().unwrap();
    let gone = segment.attach_read().unwrap_err();
    assert!(matches!(gone.errno(), Errno::EINVAL | Errno::EIDRM), "{gone}");
    assert!(segment.is_removed().unwrap());
}
