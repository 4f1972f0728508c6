//! Segments: creating, opening, attaching, looking, removing.

mod attachments;
#[path = "../common/mod.rs"]
mod common;
mod creation;
mod limits;
mod modes;

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use common::{child, key, until};
use ipc_common::{Errno, Key, PageSize};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Uid, setgid, setuid};
use sysv_shm::{Mode, Opened, Place, Segment, limits, list};
use testkit::need;

use attachments::*;
use creation::*;
use limits::*;
use modes::*;

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
