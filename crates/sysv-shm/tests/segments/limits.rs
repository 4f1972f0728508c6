//! Limits, and peers that mean no good.

use std::cell::Cell;

use super::*;

pub fn the_full_number_of_segments_is_named() {
    testkit::enter_namespaces();
    fs::write("/proc/sys/kernel/shmmni", "3").unwrap();
    let segments: Vec<_> = (0..3).map(|_| private(10)).collect();
    assert_eq!((limits().unwrap().segments, limits().unwrap().most_segments), (3, 3));
    let error = Segment::create(Key::PRIVATE, 10, Mode::PRIVATE).unwrap_err();
    assert_eq!((error.call(), error.errno()), ("shmget", Errno::ENOSPC));
    assert!(error.remedy().contains("SHMMNI") && error.remedy().contains('3'), "{error}");
    segments.into_iter().for_each(|segment| segment.mark_for_removal().unwrap());
}

pub fn too_many_pages_are_named() {
    testkit::enter_namespaces();
    fs::write("/proc/sys/kernel/shmall", "4").unwrap();
    let page = PageSize::system().bytes();
    let segment = private(3 * page - 1);
    assert_eq!(limits().unwrap().pages, 3);
    let error = Segment::create(Key::PRIVATE, page + 1, Mode::PRIVATE).unwrap_err();
    assert_eq!(error.errno(), Errno::ENOSPC);
    assert!(error.remedy().contains("SHMALL") && error.remedy().contains("2 pages"), "{error}");
    segment.mark_for_removal().unwrap();
}

pub fn no_room_in_the_address_space_is_an_error() {
    let segment = private(1 << 30);
    child(|| {
        setrlimit(Resource::RLIMIT_AS, 1 << 29, 1 << 29).unwrap();
        let error = segment.attach_write().unwrap_err();
        assert_eq!((error.call(), error.errno()), ("shmat", Errno::ENOMEM));
        assert!(error.remedy().contains("ulimit -v"));
    })
    .succeed();
    assert_eq!(segment.stat().unwrap().attached, 0);
    segment.mark_for_removal().unwrap();
}

/// Soundness: a peer scribbles on every byte, changes mode, removes and creates anew, while every
/// safe function runs. Errors and nonsense may come out, and the process lives.
pub fn nothing_a_peer_does_is_more_than_an_error() {
    let key = key();
    let size = 3 * PageSize::system().bytes() + 1;
    let peer = child(|| {
        let wild = |round: usize| -> ipc_common::Result<()> {
            let segment =
                Segment::open_or_create_if(key, size, Mode::PRIVATE, |_| Ok(()))?.into_inner();
            let attached = segment.attach_write()?;
            for byte in 0..8 {
                attached.view().fill(0, attached.view().len(), (round + byte) as u8 | 1)?;
            }
            segment.set_mode(Mode::new([0o600, 0o400, 0o000][round % 3])?)?;
            if round.is_multiple_of(5) {
                segment.mark_for_removal()
            } else {
                segment.set_mode(Mode::PRIVATE)
            }
        };
        for round in 0.. {
            let _ = wild(round);
        }
    });
    let attached_at_all = Cell::new(0);
    let look = |round: usize| -> ipc_common::Result<()> {
        let segment = Segment::open_or_create_if(key, size - round % 2, Mode::PRIVATE, |_| Ok(()))?;
        let segment = segment.into_inner();
        let (reader, writer) = (segment.attach_read()?, segment.attach_write()?);
        attached_at_all.set(attached_at_all.get() + 1);
        let view = writer.view();
        let text = view.text().unwrap();
        assert!(text.len() <= view.len() && format!("{text} {reader:?} {writer:?}").len() > 2);
        let _ = view.put_text(b"text")?;
        view.atomic_u32(8)?.fetch_add(1, Ordering::Relaxed);
        view.wake_all(0)?;
        reader.view().read_vec(0, reader.view().len())?;
        segment.stat()?;
        segment.set_mode(Mode::PRIVATE)?;
        segment.is_removed()?;
        if round.is_multiple_of(7) {
            segment.mark_for_removal()?;
        }
        writer.detach()?;
        reader.detach()
    };
    let mut rounds = testkit::rounds(1_000, 20_000);
    while let Some(round) = rounds.next(attached_at_all.get() > 10) {
        let _ = look(round);
        let _ = list().unwrap();
    }
    let attached_at_all = attached_at_all.get();
    assert!(attached_at_all > 10, "the peer kept us out all the time: {attached_at_all}");
    peer.kill_9();
    until("the key is free", || match Segment::open(key) {
        Ok(segment) => segment.mark_for_removal().is_err(),
        Err(_) => true,
    });
}
