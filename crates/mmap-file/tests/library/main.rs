//! Mapping, protecting, advising, resizing, creating, locking: against the kernel's own account.

mod advice;
#[path = "../common/mod.rs"]
mod common;
mod files;
mod options;

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};

use common::{Child, SECOND};
use ipc_common::{Errno, PageSize};
use mmap_file::{
    Access, Advice, Anonymous, Found, MapOptions, MappedFile, Protection, Sharing, create_new,
    integer, lock, maps, open_file, open_or_create,
};
use nix::sys::stat::Mode;
use testkit::Folder;

use advice::*;
use files::*;
use options::*;

testkit::cases! {
    any_offset_is_aligned_for_the_user;
    nothing_and_past_the_end_are_refused_unless_asked_for_by_name;
    protection_and_sharing_are_what_the_kernel_lists;
    what_the_protection_forbids_is_an_error_and_not_a_signal;
    a_private_change_is_never_seen_by_the_file;
    shared_writing_needs_a_file_open_for_writing;
    a_taken_address_is_refused_and_a_free_one_is_used;
    replacing_by_name_replaces;
    advice_never_reaches_a_neighbour_though_memmap2s_would;
    advice_shows_in_the_kernels_flags;
    populate_read_past_the_end_is_an_error_and_not_sigbus;
    unmapping_says_so_and_takes_all_pages;
    growing_allocates_and_shrinking_unmaps_first;
    growing_fills_the_holes_that_were_there;
    anonymous_memory_is_shared_with_a_child;
    the_lock_keeps_others_out_and_ends_with_its_holder;
    a_reader_may_ask_about_the_lock;
    only_regular_files_are_opened;
    links_are_followed_for_reading_only;
    mapping_by_path_opens_for_what_the_mapping_needs;
    of_many_who_create_one_creates_and_all_see_it_complete;
    without_o_excl_care_a_half_made_file_would_be_seen;
    an_integer_is_read_at_any_offset_in_any_order;
    a_strange_name_hides_no_other_file;
}

fn page() -> usize {
    PageSize::system().bytes()
}

/// A file of `len` bytes, open for reading and writing, and its folder.
fn file_of(len: usize) -> (Folder, File) {
    let folder = testkit::folder();
    let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
    fs::write(folder.file("file"), &bytes).unwrap();
    let file = open_file(folder.file("file"), Access::ReadWrite).unwrap();
    (folder, file)
}
