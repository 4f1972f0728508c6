//! A hostile second process, and hostile safe Rust in this one: whatever they do to the bytes, the
//! lock, the length, the name and the mode of a file while every safe function runs, only `Ok` and
//! `Err` may follow. (To cut the file short is the one thing left out: it raises SIGBUS.)

mod bytes;
mod names;
mod safe;

use bytes::*;
use names::*;
use safe::*;

testkit::cases! {
    a_scribbler_on_every_byte_makes_wrong_notes_and_errors_and_nothing_else;
    a_scribbler_on_the_sequence_holds_up_neither_reader_nor_writer;
    a_lock_that_is_held_for_ever_holds_up_nobody_for_longer_than_he_said;
    a_file_that_grows_without_end_is_neither_believed_nor_copied;
    whatever_becomes_of_the_name_every_call_comes_back;
    what_is_created_is_never_a_strangers_file_nor_left_behind;
    no_range_reaches_a_neighbour;
    nothing_that_is_mapped_is_ever_mapped_over;
    growing_and_shrinking_never_lets_a_mapping_outlive_its_file;
    threads_that_map_and_unmap_at_once_take_nothing_from_each_other;
    a_forked_child_unmaps_its_own_mapping_only;
    threads_and_processes_that_write_one_note_never_tear_it;
}
