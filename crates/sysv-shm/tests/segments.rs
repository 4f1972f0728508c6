//! Segments: creating, opening, attaching, looking, removing.

mod common;

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use common::{child, key, until};
use ipc_common::{Errno, Key, PageSize};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Uid, setgid, setuid};
use sysv_shm::{Mode, Opened, Place, Segment, limits, list};
use testkit::need;

testkit::cases! {
    a_key_in_use_is_not_created_again needs need::sysv;
    a_new_segment_is_all_zero_and_has_the_size_that_was_asked_for needs need::sysv;
    a_segment_of_another_size_or_mode_is_never_adopted needs need::sysv;
    of_many_processes_exactly_one_creates needs need::sysv;
    open_or_create_copes_with_others_who_remove needs need::sysv;
    einval_says_which_of_its_cases_it_is needs need::sysv;
    ipc_private_is_never_found needs need::sysv;
    nattch_counts_every_attach_and_every_fork needs need::sysv;
    a_marked_segment_loses_its_key_and_stays_until_the_last_detach needs need::sysv;
    a_chosen_address_is_used_or_refused_but_never_replaced needs need::sysv;
    writes_through_one_attachment_show_in_the_other needs need::sysv;
    a_write_through_a_read_only_attachment_is_fatal needs need::sysv;
    mode_and_owner_can_be_changed needs need::sysv, need::root;
    a_mode_that_shuts_its_owner_out_can_be_changed_by_him needs need::sysv, need::ordinary_user;
    a_mode_keeps_other_users_out needs need::sysv, need::root;
    the_list_says_what_stat_says needs need::sysv;
    the_full_number_of_segments_is_named needs need::sysv, own_limits;
    too_many_pages_are_named needs need::sysv, own_limits;
    no_room_in_the_address_space_is_an_error needs need::sysv;
    nothing_a_peer_does_is_more_than_an_error needs need::sysv;
}

/// To set limits in an IPC namespace of one's own.
fn own_limits() -> Result<(), String> {
    need::namespaces()?;
    let user: &[&str] = if Uid::effective().is_root() { &[] } else { &["-U", "-r"] };
    let set = Command::new("unshare")
        .args(user)
        .args(["-i", "sh", "-c", "echo 4 > /proc/sys/kernel/shmmni"])
        .stderr(Stdio::null())
        .status();
    match set {
        Ok(status) if status.success() => Ok(()),
        _ => Err("this kernel lets only the real root set an IPC namespace's limits".into()),
    }
}

fn private(size: usize) -> Segment {
    Segment::create(Key::PRIVATE, size, Mode::PRIVATE).unwrap()
}

fn a_key_in_use_is_not_created_again() {
    let key = key();
    let first = Segment::create(key, 100, Mode::PRIVATE).unwrap();
    let error = Segment::create(key, 100, Mode::PRIVATE).unwrap_err();
    assert_eq!((error.call(), error.errno()), ("shmget", Errno::EEXIST));
    assert_eq!(Segment::open(key).unwrap(), first);
    first.mark_for_removal().unwrap();
    assert_eq!(Segment::open(key).unwrap_err().errno(), Errno::ENOENT);
}

fn a_new_segment_is_all_zero_and_has_the_size_that_was_asked_for() {
    let segment = private(5000);
    let attached = segment.attach_read().unwrap();
    segment.mark_for_removal().unwrap();
    // Not that of its two pages.
    assert_eq!(attached.view().len(), 5000);
    assert!(attached.view().read_vec(0, 5000).unwrap().iter().all(|byte| *byte == 0));
    assert_eq!(segment.stat().unwrap().mode, Mode::PRIVATE);
}

fn a_segment_of_another_size_or_mode_is_never_adopted() {
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

fn of_many_processes_exactly_one_creates() {
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

fn open_or_create_copes_with_others_who_remove() {
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

fn einval_says_which_of_its_cases_it_is() {
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

fn ipc_private_is_never_found() {
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

fn nattch_counts_every_attach_and_every_fork() {
    let segment = private(10);
    let nattch = || segment.stat().unwrap().attached;
    assert_eq!(nattch(), 0);
    let one = segment.attach_read().unwrap();
    let two = segment.attach_write().unwrap();
    assert_eq!(nattch(), 2);
    let stopped = child(|| {
        loop {
            std::thread::park()
        }
    });
    assert_eq!(nattch(), 4, "a fork attaches all that its parent had attached");
    stopped.kill_9();
    assert_eq!(nattch(), 2, "and death detaches");
    let us = std::process::id().cast_signed();
    one.detach().unwrap();
    let stat = segment.stat().unwrap();
    assert_eq!((stat.attached, stat.last_pid, stat.creator_pid), (1, us, us));
    assert!(stat.detached_at.is_some());
    drop(two);
    assert_eq!(nattch(), 0);
    segment.mark_for_removal().unwrap();
}

fn a_marked_segment_loses_its_key_and_stays_until_the_last_detach() {
    let key = key();
    let segment = Segment::create(key, 10, Mode::PRIVATE).unwrap();
    let attached = segment.attach_write().unwrap();
    segment.mark_for_removal().unwrap();
    let stat = segment.stat().unwrap();
    assert!(stat.marked_for_removal && stat.key.is_private());
    assert_eq!(Segment::open(key).unwrap_err().errno(), Errno::ENOENT);
    // Linux: by id it can still be attached, and then this one is the last.
    let late = segment.attach_read().unwrap();
    let _ = attached.view().put_text(b"still").unwrap();
    attached.detach().unwrap();
    assert_eq!(late.view().text().unwrap().to_string(), "still");
    late.detach().unwrap();
    assert!(matches!(segment.stat().unwrap_err().errno(), Errno::EINVAL | Errno::EIDRM));
}

fn a_chosen_address_is_used_or_refused_but_never_replaced() {
    let page = PageSize::system().bytes();
    let segment = private(page);
    // An address that is free for sure: one that was just in use.
    let address = segment.attach_read().unwrap().view().as_ptr().addr();
    let attached = segment.attach_read_at(Place::RoundedDown(address + 17)).unwrap();
    assert_eq!(attached.view().as_ptr().addr(), address, "SHM_RND rounds down");
    let refused = |place| {
        let error = segment.attach_write_at(place).unwrap_err();
        assert_eq!((error.call(), error.errno()), ("shmat", Errno::EINVAL), "{error}");
        error
    };
    refused(Place::At(address));
    refused(Place::RoundedDown(address + 17));
    drop(attached);
    refused(Place::At(address + 17));
    assert_eq!(segment.attach_write_at(Place::At(address)).unwrap().view().len(), page);
    // Root could map these, at the place where null points.
    for low in [0, 1, page - 1] {
        assert!(!refused(Place::RoundedDown(low)).is_from_kernel());
        assert!(!refused(Place::At(low)).is_from_kernel());
    }
    segment.mark_for_removal().unwrap();
}

fn writes_through_one_attachment_show_in_the_other() {
    let segment = private(100);
    let (writer, reader) = (segment.attach_write().unwrap(), segment.attach_read().unwrap());
    segment.mark_for_removal().unwrap();
    assert_ne!(writer.view().as_ptr(), reader.view().as_ptr());
    child(|| writer.view().write(95, b"bytes").unwrap()).succeed();
    assert_eq!(reader.view().read_vec(95, 5).unwrap(), b"bytes");
    assert!(writer.view().write(96, b"bytes").is_err(), "the page goes on, the segment does not");
}

/// The twin of the compile-fail example: past the type system, the page itself refuses.
fn a_write_through_a_read_only_attachment_is_fatal() {
    let segment = private(100);
    let reader = segment.attach_read().unwrap();
    segment.mark_for_removal().unwrap();
    let scribbler = child(|| {
        let at = reader.view().as_ptr().cast_mut();
        // SAFETY: none; the page is not writable, and that is the point.
        unsafe { at.write_volatile(1) };
    });
    let pid = nix::unistd::Pid::from_raw(scribbler.pid());
    let ended = scribbler.join();
    let segv = nix::sys::signal::Signal::SIGSEGV;
    assert!(
        matches!(ended, nix::sys::wait::WaitStatus::Signaled(who, signal, _) if who == pid && signal == segv),
        "{ended:?}"
    );
}

fn mode_and_owner_can_be_changed() {
    let segment = private(10);
    segment.set_mode(Mode::new(0o644).unwrap()).unwrap();
    segment.set_owner(Uid::from_raw(65534), Gid::from_raw(65533)).unwrap();
    let stat = segment.stat().unwrap();
    assert_eq!((stat.mode.bits(), stat.owner.as_raw(), stat.group.as_raw()), (0o644, 65534, 65533));
    assert_eq!((stat.creator, stat.size), (Uid::effective(), 10), "the rest stays");
    child(|| {
        become_nobody();
        segment.set_mode(Mode::PRIVATE).unwrap();
    })
    .succeed();
    assert_eq!(segment.stat().unwrap().mode, Mode::PRIVATE);
    segment.mark_for_removal().unwrap();
}

fn a_mode_that_shuts_its_owner_out_can_be_changed_by_him() {
    let segment = private(10);
    segment.set_mode(Mode::new(0).unwrap()).unwrap();
    assert_eq!(segment.attach_read().unwrap_err().errno(), Errno::EACCES);
    assert_eq!(segment.stat().unwrap_err().errno(), Errno::EACCES);
    segment.set_mode(Mode::PRIVATE).unwrap();
    assert_eq!(segment.stat().unwrap().owner, Uid::effective());
    segment.mark_for_removal().unwrap();
}

fn become_nobody() {
    setgid(Gid::from_raw(65534)).unwrap();
    setuid(Uid::from_raw(65534)).unwrap();
}

fn a_mode_keeps_other_users_out() {
    let key = key();
    let segment = Segment::create(key, 10, Mode::PRIVATE).unwrap();
    child(|| {
        become_nobody();
        assert_eq!(Segment::open(key).unwrap(), segment, "the id is no secret");
        assert_eq!(segment.attach_read().unwrap_err().errno(), Errno::EACCES);
        assert_eq!(segment.stat().unwrap_err().errno(), Errno::EACCES);
        assert_eq!(segment.mark_for_removal().unwrap_err().errno(), Errno::EPERM);
        assert!(list().unwrap().iter().any(|stat| stat.id == segment.id()), "nor is the list");
        let error = Segment::open_or_create(key, 10, Mode::PRIVATE).unwrap_err();
        assert_eq!(error.errno(), Errno::EACCES);
    })
    .succeed();
    // The lecture's mode: others may read, and its reader fails, since it asks for writing too.
    segment.set_mode(Mode::new(0o644).unwrap()).unwrap();
    child(|| {
        become_nobody();
        assert_eq!(segment.attach_write().unwrap_err().errno(), Errno::EACCES);
        assert_eq!(segment.attach_read().unwrap().view().len(), 10);
    })
    .succeed();
    segment.mark_for_removal().unwrap();
}

fn the_list_says_what_stat_says() {
    let segment = Segment::create(key(), 12345, Mode::new(0o604).unwrap()).unwrap();
    let _attached = segment.attach_read().unwrap();
    for mark in [false, true] {
        if mark {
            segment.mark_for_removal().unwrap();
        }
        let stat = segment.stat().unwrap();
        let listed = list().unwrap().into_iter().find(|listed| listed.id == segment.id());
        assert_eq!(listed.as_ref(), Some(&stat));
        assert_eq!(stat.marked_for_removal, mark);
    }
}

fn the_full_number_of_segments_is_named() {
    testkit::enter_namespaces();
    fs::write("/proc/sys/kernel/shmmni", "3").unwrap();
    let segments: Vec<_> = (0..3).map(|_| private(10)).collect();
    assert_eq!((limits().unwrap().segments, limits().unwrap().most_segments), (3, 3));
    let error = Segment::create(Key::PRIVATE, 10, Mode::PRIVATE).unwrap_err();
    assert_eq!((error.call(), error.errno()), ("shmget", Errno::ENOSPC));
    assert!(error.remedy().contains("SHMMNI") && error.remedy().contains('3'), "{error}");
    segments.into_iter().for_each(|segment| segment.mark_for_removal().unwrap());
}

fn too_many_pages_are_named() {
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

fn no_room_in_the_address_space_is_an_error() {
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
fn nothing_a_peer_does_is_more_than_an_error() {
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
    let mut attached_at_all = 0;
    let mut look = |round: usize| -> ipc_common::Result<()> {
        let segment = Segment::open_or_create_if(key, size - round % 2, Mode::PRIVATE, |_| Ok(()))?;
        let segment = segment.into_inner();
        let (reader, writer) = (segment.attach_read()?, segment.attach_write()?);
        attached_at_all += 1;
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
    for round in 0..testkit::soak(1_000, 20_000) {
        let _ = look(round);
        let _ = list().unwrap();
    }
    assert!(attached_at_all > 10, "the peer kept us out all the time: {attached_at_all}");
    peer.kill_9();
    until("the key is free", || match Segment::open(key) {
        Ok(segment) => segment.mark_for_removal().is_err(),
        Err(_) => true,
    });
}
