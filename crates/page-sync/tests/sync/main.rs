//! msync, fdatasync, fsync and sync_file_range on the real kernel; errors by strace where the
//! device would have to fail.

#[path = "../common/mod.rs"]
mod common;
mod errors;
mod losses;
mod ranges;

use losses::*;
use ranges::*;
use testkit::need;

testkit::cases! {
    the_pages_synced_are_those_that_hold_the_bytes;
    bad_ranges_are_refused_before_the_kernel_is_asked;
    locked_pages_are_ebusy_only_with_invalidate;
    an_unmapped_page_is_enomem_and_no_loss;
    a_file_cut_shorter_is_an_error_and_no_success;
    zeros_in_the_place_of_pages_are_never_synced_with_success;
    strace_sees_whole_pages_and_never_both_flags needs need::strace;
    after_eio_no_success_of_any_call_hides_it needs need::strace;
    every_call_that_syncs_can_start_a_loss needs need::strace;
    without_the_memory_a_second_msync_succeeds needs need::strace;
    a_full_disk_found_late_is_a_loss_too needs need::strace;
    whatever_a_server_may_have_answered_is_a_loss needs need::strace;
    no_memory_in_the_kernel_is_a_loss needs need::strace;
    threads_all_hear_of_a_loss needs need::strace;
    rewriting_everything_makes_it_good needs need::strace;
    a_rewrite_that_fails_makes_nothing_good needs need::strace;
    another_object_of_the_same_file_is_not_concerned needs need::strace;
}
