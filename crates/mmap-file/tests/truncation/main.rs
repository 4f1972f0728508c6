//! A file cut under a mapping: each case would end by SIGBUS without what the library does.

#[path = "../common/mod.rs"]
mod common;
mod cut;
mod notes;
mod resizing;
mod storm;

use std::fs::{self, File};
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use common::{Child, SECOND, writer};
use ipc_common::note::Reading;
use ipc_common::view::WriteView;
use ipc_common::{Errno, Error, PageSize};
use mmap_file::integer::four_bytes;
use mmap_file::mapping::truncation::{Shrunk, still_reaches};
use mmap_file::note::{Adopt, NoteReader, NoteWriter, Whereabouts};
use mmap_file::{Access, Advice, MapOptions, MappedFile, Mapping, Protection, maps, open_file};
use testkit::{Folder, Peer, peer};

use cut::*;
use notes::*;
use resizing::*;
use storm::*;

testkit::cases! {
    a_copy_past_the_end_tells_the_good_bytes_and_spoils_nothing;
    an_atomic_past_the_end_spoils_the_mapping_and_every_call_says_so;
    what_was_stored_after_the_cut_is_never_in_the_file;
    a_mapping_made_anew_works_and_so_does_growing_a_mapped_file;
    private_and_read_only_mappings_are_guarded_too;
    unguarded_leaves_the_signals_alone;
    a_note_that_is_cut_anywhere_is_refused_renewed_and_read_again;
    what_is_left_of_a_note_is_shown_to_nobody;
    a_file_with_something_else_in_it_is_not_renewed;
    a_storm_kills_no_copy_no_atomic_and_no_call_of_a_mapping;
    a_storm_kills_nobody_who_grows_and_shrinks_the_file_himself;
    a_storm_hides_no_mapping_from_the_list;
    the_same_storm_kills_a_plain_access;
    a_storm_tears_no_note;
}

fn page() -> usize {
    PageSize::system().bytes()
}

/// A file of `pages` pages of `x`.
fn file_of(pages: usize) -> (Folder, File) {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, vec![b'x'; pages * page()]).unwrap();
    (folder, open_file(&path, Access::ReadWrite).unwrap())
}

fn mapped(file: &File) -> Mapping {
    MapOptions::new().read_write().map(file).unwrap()
}

fn cut(file: &File, pages: usize) {
    file.set_len((pages * page()) as u64).unwrap();
}

/// The error of a file that was cut, after so many good bytes.
fn shrunk<T: std::fmt::Debug>(found: Result<T, Error>) -> usize {
    let error = found.unwrap_err();
    Shrunk::of(&error).unwrap_or_else(|| panic!("{error}")).good
}
