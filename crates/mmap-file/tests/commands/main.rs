//! Every command as a student would run it.

#[path = "../common/mod.rs"]
mod common;
mod endings;
mod kernel;
mod notes;
mod usage;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{mmap_file, on, text, write};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use serde_json::Value;
use testkit::{Finished, Folder, Program, need};

use endings::*;
use kernel::*;
use notes::*;
use usage::*;

testkit::cases! {
    without_a_file_both_use_the_users_own_note;
    a_reader_prints_each_change_at_once;
    a_reader_that_starts_first_waits;
    every_prints_each_period_changed_or_not;
    count_ends_the_reader;
    json_is_one_object_a_line;
    a_reader_does_not_spin;
    a_replaced_and_a_removed_file_are_followed;
    refused_lines_leave_the_note_and_later_ones_go_on;
    a_line_without_an_end_counts;
    strange_bytes_are_shown_and_not_obeyed;
    the_note_survives_kill_9_of_everyone;
    signals_end_everything_with_their_own_number;
    a_closed_pipe_is_no_error;
    a_reader_notices_that_nobody_listens;
    a_writer_says_what_it_waits_for;
    int_reads_integers;
    info_tells_what_the_kernel_tells;
    maps_lists_files;
    private_changes_never_reach_the_file;
    the_demo_shows_two_processes_and_cleans_up;
    a_demo_that_is_interrupted_cleans_up;
    bad_files_have_clear_errors;
    an_unreadable_file_says_so needs need::ordinary_user;
    another_users_process_says_so needs need::ordinary_user;
    wrong_usage_is_exit_code_2;
    colours_are_for_terminals needs script;
    on_a_terminal_the_hint_can_be_typed needs script;
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

/// Ended with 1 and one line of complaint that holds these words.
fn complains(finished: Finished, words: &[&str]) {
    assert_eq!(finished.code(), Some(1), "{finished:?}");
    assert!(finished.stderr.starts_with("error: ") && finished.stderr.lines().count() == 1);
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is not in {:?}", finished.stderr);
    }
}

fn only(folder: &Folder, names: &[&str]) {
    let entries = fs::read_dir(folder.path()).unwrap().flatten();
    let mut found: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, names, "something is left over");
}

fn script() -> Result<(), String> {
    match Command::new("script").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("there is no script(1) to make a terminal with".into()),
    }
}
