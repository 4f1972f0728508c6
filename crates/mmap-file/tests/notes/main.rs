//! The note: whole or not at all, whoever dies, and whatever a stranger does to the file.

mod adoption;
#[path = "../common/mod.rs"]
mod common;
mod races;
mod turns;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use common::{Child, SECOND, mmap_file, read, text, writer};
use ipc_common::note::{Before, Reading};
use ipc_common::{Errno, PageSize};
use mmap_file::note::{Adopt, LONGEST_FILE, NoteReader, NoteWriter, TRAILER, Whereabouts};
use mmap_file::{Access, Anonymous, MapOptions, lock, open_file};
use testkit::random_u64;

use adoption::*;
use races::*;
use turns::*;

testkit::cases! {
    a_note_goes_over_and_stays;
    an_empty_note_is_not_the_same_as_none;
    text_that_does_not_fit_or_holds_a_nul_leaves_the_note_as_it_was;
    a_waiting_reader_is_woken;
    a_reader_changes_nothing;
    an_odd_sequence_without_a_lock_is_abandoned_and_with_one_it_is_busy;
    the_next_writer_recovers;
    two_writers_at_once_take_turns;
    a_file_replaced_or_removed_is_noticed;
    a_lecture_file_is_adopted_with_its_text;
    a_reader_follows_a_file_that_is_adopted_under_it;
    somebodys_work_is_refused_and_left_as_it_is;
    a_note_of_another_page_size_is_a_note;
    a_note_whose_length_was_changed_is_not_written;
    absurd_lengths_do_not_fill_the_memory;
    kill_9_at_any_moment_never_shows_a_torn_note;
    without_the_protocol_torn_notes_are_seen;
    readers_and_writers_that_start_together_meet;
    a_scribbling_peer_can_cause_wrong_reports_only;
}

fn is_one_letter(found: &Reading) -> bool {
    let Some(text) = found.text() else { return false };
    let bytes = text.as_bytes();
    assert!(!is_torn(bytes), "a torn note of {} bytes", bytes.len());
    !bytes.is_empty()
}

/// Whether not all are the same. One comparison of two slices: a slow judge would see little.
fn is_torn(bytes: &[u8]) -> bool {
    bytes.len() > 1 && bytes[1..] != bytes[..bytes.len() - 1]
}
