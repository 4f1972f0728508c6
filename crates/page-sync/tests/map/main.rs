//! `page-sync map`: the picture against the kernel, as a user would see it.

mod bad;
mod drawn;
mod meanwhile;
mod saved;
#[path = "../inspect/support.rs"]
mod support;

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::Program;

use bad::*;
use drawn::*;
use meanwhile::*;
use saved::*;

testkit::cases! {
    pages_written_by_another_process_are_those_drawn needs support::ext4;
    letters_svg_and_json_show_the_same needs support::ext4;
    ms_sync_turns_the_picture_clean needs support::ext4;
    copy_on_write_after_a_fork_is_drawn;
    one_process_can_be_asked_for;
    what_userfaultfd_write_protects_is_counted needs support::userfaultfd, testkit::need::namespaces;
    a_tebibyte_is_drawn_at_once needs support::ext4;
    colours_change_no_letter needs support::ext4;
    lines_fit_eighty_columns;
    a_kernel_without_cachestat_gets_a_picture_all_the_same needs support::cachestat;
    a_strangers_file_has_unknown_pages_and_says_why;
    a_file_of_a_few_bytes_and_an_empty_one;
    tmpfs_is_drawn_without_dirt needs support::cachestat;
    overlayfs_is_drawn_by_mincore needs testkit::need::namespaces;
    what_is_no_regular_file_is_refused_at_once;
    a_file_that_may_not_be_read_says_so needs testkit::need::ordinary_user;
    a_read_only_mount_is_no_hindrance needs testkit::need::namespaces;
    wrong_usage_is_exit_code_2;
    a_closed_pipe_is_no_error;
    ctrl_c_ends_a_long_look;
    a_file_that_changes_meanwhile_is_said;
    a_name_that_changes_meanwhile_is_said;
    the_svg_is_well_formed_and_its_text_stays_inside;
    the_svg_needs_no_colours;
    a_name_cannot_break_out_of_the_svg;
    a_picture_replaces_nothing_unless_told_to;
    whoever_is_killed_while_saving_leaves_all_or_nothing needs testkit::need::strace;
    a_replaced_picture_is_synced_and_so_is_its_folder needs testkit::need::strace;
    a_full_disk_leaves_no_half_picture needs testkit::need::namespaces;
}

/// `page-sync map PATH …`
fn map<S: AsRef<OsStr>>(path: &Path, more: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_page-sync"));
    command.arg("map").arg(path).args(more);
    command
}

fn drawn(path: &Path) -> String {
    Program::run(&mut map(path, [""; 0])).ok()
}

fn json(path: &Path) -> Value {
    let line = Program::run(&mut map(path, ["--json"])).ok();
    assert_eq!(line.lines().count(), 1);
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

/// The letters of a picture in the terminal, in the order of the file.
fn letters(picture: &str) -> String {
    let rows = picture.lines().skip(2).skip_while(|line| !line.is_empty()).skip(1);
    let rows = rows.take_while(|line| !line.is_empty());
    rows.flat_map(|row| row.split_whitespace().skip(1)).collect()
}

/// The same words without the breaks between lines.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The pages with these letters.
fn at(letters: &str, which: &[char]) -> Vec<usize> {
    letters.char_indices().filter(|(_, c)| which.contains(c)).map(|(at, _)| at).collect()
}

/// The pages of the runs that are so.
fn pages_in(json: &Value, is: impl Fn(&Value) -> bool) -> Vec<usize> {
    let runs = json["runs"].as_array().unwrap();
    let pages = |run: &Value| {
        let first = run["first"].as_u64().unwrap() as usize;
        first..first + run["pages"].as_u64().unwrap() as usize
    };
    runs.iter().filter(|run| is(run)).flat_map(pages).collect()
}
