//! `size`, `write` and `demo` as a student would run them; and what bad input does to whom.

#[path = "../common/mod.rs"]
mod common;
mod demo;
mod failures;
mod program;
mod size;
#[path = "../inspect/support.rs"]
mod support;
mod usage;
mod write;

use demo::*;
use failures::*;
use program::dirty_is_shown;
use size::*;
use testkit::need;
use usage::*;
use write::*;

testkit::cases! {
    size_tells_what_the_kernel_tells;
    size_rounds_lengths_by_any_page_size;
    write_by_ms_sync_turns_dirty_into_clean needs dirty_is_shown;
    write_by_ms_async_and_by_nothing_leaves_dirty needs dirty_is_shown;
    write_makes_a_file_that_the_lectures_reader_understands;
    write_uses_the_users_own_file_by_default;
    write_keeps_other_pages_and_refuses_what_it_would_destroy;
    write_with_adopt_makes_whole_pages_of_the_lectures_file;
    write_says_that_it_failed_when_the_device_does needs need::strace;
    write_syncs_the_name_of_a_file_that_was_there_before needs need::strace;
    write_says_so_where_the_name_is_out_of_reach needs need::ordinary_user;
    write_notices_that_the_file_has_gone needs need::strace;
    write_says_unknown_on_tmpfs needs need::namespaces;
    write_says_unknown_on_overlayfs needs need::namespaces;
    write_says_unknown_where_the_call_is_hidden;
    write_refuses_bad_files_and_leaves_them_alone;
    write_refuses_a_read_only_file needs need::ordinary_user;
    write_refuses_a_full_disk_and_leaves_nothing needs need::namespaces;
    wrong_usage_is_exit_code_2;
    the_demo_tells_its_story_and_leaves_nothing;
    the_demo_shows_dirty_and_clean needs dirty_is_shown;
    a_demo_that_is_interrupted_leaves_nothing;
    a_demo_that_is_killed_leaves_nothing;
    the_cleaner_of_a_killed_demo_waits_for_a_slow_disk needs need::strace;
    help_names_every_command;
    a_closed_pipe_is_no_error;
}
