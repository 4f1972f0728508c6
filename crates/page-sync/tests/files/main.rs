//! Files of whole pages: created, opened, adopted; and what stays as it was when that fails.

#[path = "../common/mod.rs"]
mod common;
mod made;
mod refused;

use made::*;
use refused::*;
use testkit::need;

testkit::cases! {
    a_new_file_has_exactly_so_many_pages_and_room_for_all;
    the_lectures_way_makes_a_hole_and_a_byte_too_many;
    a_name_that_is_taken_is_left_alone_whatever_it_leads_to;
    opening_wants_whole_pages_and_says_what_would_do;
    adopting_makes_longer_and_never_cuts;
    open_or_create_wants_the_length_that_it_would_have_made;
    what_cannot_be_mapped_stays_as_it_was;
    a_read_only_file_is_looked_at_and_synced;
    a_read_only_file_is_refused_for_writing needs need::ordinary_user;
    a_read_only_mount_is_refused_by_name needs need::namespaces;
    a_full_disk_is_an_error_and_not_sigbus needs need::namespaces;
    a_hole_on_a_full_disk_is_found_when_the_file_is_opened needs need::namespaces;
    a_file_that_moves_is_still_the_file;
    reopened_it_is_the_same_file_even_without_a_name;
    a_page_is_its_bytes_and_no_others;
}
