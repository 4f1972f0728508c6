//! A hostile second process, and hostile safe Rust in this one: whatever they do to memory,
//! semaphores and ids while every safe function runs, only `Ok` and `Err` may follow. No panic, no
//! signal, no wait without end (the watchdog), no byte touched that is not ours.

mod ids;
mod memory;
mod safe;
mod semaphores;
mod tools;

use ids::*;
use memory::*;
use safe::*;
use semaphores::*;

testkit::cases! {
    a_scribbler_on_the_segment_makes_wrong_notes_and_nothing_else;
    a_note_never_runs_on_past_the_segment_into_the_rest_of_its_page;
    whatever_becomes_of_the_segment_every_call_comes_back;
    a_view_is_never_longer_than_what_was_attached needs tools::next_id;
    a_set_that_shrinks_under_its_id_is_never_read_past_its_end needs tools::next_id;
    whatever_becomes_of_the_semaphores_every_call_comes_back;
    a_lock_that_is_held_for_ever_holds_up_nobody_for_longer_than_he_said;
    who_tampers_with_the_values_cannot_make_the_sequence_wrap_or_panic;
    nothing_that_is_mapped_is_ever_attached_over;
    addresses_that_no_process_has_are_refused;
    a_leaked_attachment_stays_and_harms_nobody;
    a_forked_child_lets_go_of_its_own_attachment_only;
    a_forked_child_can_neither_release_nor_finish_its_parents_write;
    a_forgotten_write_holds_the_lock_until_its_process_ends;
    threads_exclude_each_other_while_a_stranger_looks_on;
}
