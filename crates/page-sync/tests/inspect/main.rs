//! What the sources say, against what was done to the pages; and where they have to say "unknown".

mod support;
mod tables;
mod truth;
mod unknown;

use tables::*;
use truth::*;
use unknown::*;

testkit::cases! {
    pages_stored_to_are_exactly_those_shown needs support::ext4;
    pages_read_are_clean_and_a_file_page_to_its_reader needs support::ext4;
    ms_async_leaves_dirty_and_ms_sync_cleans needs support::ext4;
    one_large_write_makes_neighbours_dirty_together needs support::ext4;
    a_tebibyte_of_nothing_is_a_few_runs needs support::ext4;
    counts_and_states_agree needs support::ext4;
    copy_on_write_after_fork_shows_as_such;
    a_private_copy_is_no_page_of_the_file;
    a_guard_page_is_not_taken_for_swap needs guard_pages;
    what_userfaultfd_write_protects_is_said needs support::userfaultfd;
    totals_count_page_tables_and_not_map_shared;
    each_first_touch_is_a_fault;
    another_process_is_looked_into_by_its_id;
    a_hidden_call_is_unknown_and_says_why needs support::cachestat;
    a_filtered_call_is_unknown_and_says_why needs support::cachestat;
    mincore_answers_without_cachestat;
    a_strangers_file_is_unknown_though_mincore_calls_it_resident;
    the_twin_without_the_probe_would_be_lied_to;
    tmpfs_never_says_dirty needs support::cachestat;
    overlayfs_is_unknown_to_cachestat_and_known_to_mincore needs testkit::need::namespaces;
    huge_pages_are_not_in_the_page_cache needs hugetlbfs;
    files_of_proc_and_sys_have_no_pages;
    what_is_no_regular_file_has_no_pages;
    a_process_that_has_gone_is_gone;
    another_users_process_is_closed needs testkit::need::ordinary_user;
    a_file_that_shrinks_is_absent_behind_its_end needs support::ext4;
    who_asks_may_stop needs support::cachestat;
}
