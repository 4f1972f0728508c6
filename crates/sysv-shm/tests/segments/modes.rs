//! Modes, owners, and the list.

use super::*;

pub fn mode_and_owner_can_be_changed() {
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

pub fn a_mode_that_shuts_its_owner_out_can_be_changed_by_him() {
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

pub fn a_mode_keeps_other_users_out() {
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

pub fn the_list_says_what_stat_says() {
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
