//! A name made durable, a file replaced: what is kept, what is refused, and what is in place when a
//! call fails or the process is killed at it.

#[path = "../common/mod.rs"]
mod common;
mod kept;
mod names;
mod refusals;
mod steps;
mod tools;

use kept::*;
use names::*;
use refusals::*;
use steps::*;
use testkit::need;

testkit::cases! {
    a_name_is_synced_by_its_folder needs need::strace;
    names_that_are_not_there_are_not_called_durable;
    a_folder_that_cannot_be_synced_is_an_error_and_not_a_success needs need::strace;
    the_order_of_the_calls_is_the_promise needs need::strace;
    nothing_is_seen_until_it_is_complete;
    the_mode_is_kept_whatever_it_is;
    attributes_are_kept needs user_attributes;
    attributes_that_cannot_be_copied_are_not_dropped needs user_attributes, need::ordinary_user;
    set_user_id_is_not_kept;
    an_access_control_list_is_kept_and_none_is_invented needs acl_tools;
    a_new_file_gets_its_mode_by_the_umask;
    the_owner_is_kept needs need::root;
    another_users_file_is_refused_and_stays needs need::root, need::namespaces;
    links_are_not_followed;
    other_names_and_open_files_keep_the_old_content;
    what_is_no_file_is_refused;
    a_mount_point_is_refused_and_stays needs need::namespaces;
    a_full_disk_leaves_the_old_content needs need::namespaces;
    a_source_that_fails_leaves_the_old_content;
    each_call_that_fails_leaves_what_its_error_says needs need::strace;
    killed_at_each_call_it_is_all_of_the_old_or_all_of_the_new needs need::strace;
    a_replacement_under_way_is_no_leftover;
    a_long_name_is_replaced_too;
    an_error_that_is_passed_on_says_what_is_in_place;
}
