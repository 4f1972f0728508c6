//! The lock beside a segment, and the mark "a write is under way".

#[path = "../common/mod.rs"]
mod common;
mod deaths;
mod exclusion;
mod strangers;
mod waiting;

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use common::{LONG, child, key, sleeps, until};
use ipc_common::{Errno, Key};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, setgid, setuid};
use sysv_shm::note::{NoteReader, NoteWriter, Reading, Wanted, remove};
use sysv_shm::{AttachedWrite, Before, Lock, Mode, Op, Segment, SemaphoreSet, Snapshot};
use testkit::need;

use deaths::*;
use exclusion::*;
use strangers::*;
use waiting::*;

testkit::cases! {
    processes_exclude_each_other needs need::sysv;
    without_the_lock_updates_are_lost needs need::sysv;
    threads_exclude_each_other needs need::sysv;
    a_new_lock_is_free_however_many_make_it_at_once needs need::sysv;
    a_fork_does_not_hand_the_lock_on needs need::sysv;
    a_writer_killed_in_the_middle_is_noticed needs need::sysv;
    a_holder_killed_before_it_wrote_leaves_a_whole_note needs need::sysv;
    a_write_given_up_halfway_counts_as_abandoned needs need::sysv;
    the_sequence_wraps_at_semvmx_and_still_grows needs need::sysv;
    a_reader_sees_a_wrap_as_a_change needs need::sysv;
    a_stopped_writer_makes_readers_busy_and_no_more needs need::sysv;
    a_stopped_reader_holds_nobody_up needs need::sysv;
    waiting_ends_with_its_time_and_says_who_holds needs need::sysv;
    a_set_of_another_size_is_not_taken_for_a_lock needs need::sysv;
    reading_takes_read_permission_only needs need::sysv, need::root;
    a_strangers_segment_is_not_adopted_though_its_mode_would_let_us needs need::sysv, need::root;
    a_strangers_lock_is_not_trusted needs need::sysv, need::root;
    tampered_semaphores_give_errors_and_never_hang needs need::sysv;
    a_lock_that_was_removed_by_hand_is_made_again needs need::sysv;
}

const NOW: Duration = Duration::ZERO;

fn private() -> Lock {
    Lock::private(Mode::PRIVATE).unwrap()
}

fn shared(size: usize) -> AttachedWrite {
    let segment = Segment::create(Key::PRIVATE, size, Mode::PRIVATE).unwrap();
    let attached = segment.attach_write().unwrap();
    segment.mark_for_removal().unwrap();
    attached
}
