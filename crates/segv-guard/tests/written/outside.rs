//! Forked children, and the kernel as a writer.

use super::*;

pub fn a_child_made_by_fork_tracks_its_own_copy() {
    let tracker = tracker(Backend::Faults, 4);
    let page = tracker.page_size().bytes();
    let status = in_child(|| {
        tracker.view().write(2 * page, b"child").unwrap();
        i32::from(tracker.take().unwrap() != [2..3])
    });
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
    assert_eq!(tracker.take().unwrap(), []);
}

pub fn a_child_made_by_fork_takes_no_marks_from_its_parent() {
    let tracker = tracker(Backend::Kernel, 4);
    let page = tracker.page_size().bytes();
    tracker.view().write(0, b"before").unwrap();
    tracker.view().write(3 * page, b"before").unwrap();
    let status = in_child(|| {
        tracker.view().write(2 * page, b"child").unwrap();
        // Nobody marks its pages: any may have been written, and none is reported too seldom.
        let all = (0..2).all(|_| tracker.take().unwrap() == [0..4]);
        i32::from(!all)
    });
    assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
    tracker.view().write(page, b"parent").unwrap();
    assert_eq!(tracker.take().unwrap(), [0..2, 3..4], "what the parent has written");
    assert_eq!(tracker.take().unwrap(), []);
}

pub fn system_calls_may_write_what_the_kernel_marks() {
    let read_zeros = |tracker: &WriteTracker| {
        let at = tracker.view().as_ptr().cast_mut();
        let zeros = std::fs::File::open("/dev/zero").unwrap();
        // SAFETY: the tracker's own memory, which has views only.
        let into = unsafe { std::slice::from_raw_parts_mut(at, 10) };
        nix::unistd::read(&zeros, into)
    };
    let kernel = tracker(Backend::Kernel, 2);
    assert_eq!(read_zeros(&kernel), Ok(10));
    assert_eq!(kernel.take().unwrap(), [0..1]);
    // By faults, they may not: no handler runs for the kernel.
    assert_eq!(read_zeros(&tracker(Backend::Faults, 2)), Err(Errno::EFAULT));
}
