//! The power cut: each action has its outcome, the experiment knows when it is broken, and nothing
//! of it is left behind, whatever ends it.

mod endings;
mod failures;
mod outcomes;
mod support;
mod view;

use endings::*;
use failures::*;
use outcomes::*;
use support::{power_cut_is_possible, setpriv};
use testkit::need;
use view::*;

testkit::cases! {
    each_action_has_its_outcome_every_time needs power_cut_is_possible;
    a_flush_is_counted_where_one_was_promised_and_nowhere_else needs power_cut_is_possible;
    without_barriers_nothing_survives needs power_cut_is_possible;
    a_disk_without_a_cache_is_found_out needs power_cut_is_possible;
    a_disk_that_lies_is_found_out needs power_cut_is_possible;
    a_disk_that_fails_is_an_error_of_the_very_call needs power_cut_is_possible;
    the_command_says_what_the_library_found needs power_cut_is_possible;
    the_controls_are_done_with_every_choice needs power_cut_is_possible;
    three_experiments_at_once_do_not_meet needs power_cut_is_possible;

    a_signal_ends_it_and_leaves_nothing needs power_cut_is_possible;
    a_disk_that_is_unmounted_before_it_serves_ends_in_silence needs power_cut_is_possible;
    kill_9_at_any_moment_leaves_nothing needs power_cut_is_possible;
    a_helper_that_is_killed_is_an_error_and_leaves_nothing needs power_cut_is_possible;
    a_helper_that_hangs_can_be_interrupted needs power_cut_is_possible;
    a_helper_that_hangs_does_not_keep_what_was_killed needs power_cut_is_possible;

    every_mount_that_fails_leaves_nothing needs power_cut_is_possible, need::strace;
    every_unmount_that_fails_leaves_nothing needs power_cut_is_possible, need::strace;
    every_loop_device_that_fails_leaves_nothing needs power_cut_is_possible, need::strace;
    a_loop_device_that_somebody_else_takes_is_no_failure needs power_cut_is_possible, need::strace;
    no_room_for_the_copy_leaves_nothing needs power_cut_is_possible, need::strace;
    a_mkfs_that_fails_says_what_it_said needs power_cut_is_possible;
    a_mkfs_that_hangs_can_be_interrupted needs power_cut_is_possible;
    all_that_is_missing_is_named_at_once needs need::root, need::namespaces;
    root_without_the_capability_is_told_so needs need::root, setpriv;

    the_page_cache_view_says_what_it_is needs support::dirty_is_told;
    the_files_of_the_view_never_have_a_name needs support::dirty_is_told, need::strace;
    an_ordinary_user_is_told_why_and_shown_the_page_cache needs need::ordinary_user, support::dirty_is_told;
    where_the_page_cache_is_silent_the_view_says_so needs need::namespaces;
    colours_and_progress_are_for_terminals needs power_cut_is_possible, script;
    wrong_usage_is_exit_code_2;
    the_helpers_are_not_to_be_typed;
}
