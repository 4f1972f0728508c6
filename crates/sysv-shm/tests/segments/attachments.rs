//! Attached, marked, detached.

use super::*;

pub fn nattch_counts_every_attach_and_every_fork() {
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

pub fn a_marked_segment_loses_its_key_and_stays_until_the_last_detach() {
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

pub fn a_chosen_address_is_used_or_refused_but_never_replaced() {
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

pub fn writes_through_one_attachment_show_in_the_other() {
    let segment = private(100);
    let (writer, reader) = (segment.attach_write().unwrap(), segment.attach_read().unwrap());
    segment.mark_for_removal().unwrap();
    assert_ne!(writer.view().as_ptr(), reader.view().as_ptr());
    child(|| writer.view().write(95, b"bytes").unwrap()).succeed();
    assert_eq!(reader.view().read_vec(95, 5).unwrap(), b"bytes");
    assert!(writer.view().write(96, b"bytes").is_err(), "the page goes on, the segment does not");
}

/// The twin of the compile-fail example: past the type system, the page itself refuses.
pub fn a_write_through_a_read_only_attachment_is_fatal() {
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
