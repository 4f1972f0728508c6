//! The binary as a student uses it.

#[path = "../common/mod.rs"]
mod common;
mod endings;
mod looking;
mod notes;
mod trouble;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{child, key, until};
use ipc_common::Key;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use serde_json::Value;
use sysv_shm::note::{NoteWriter, Wanted};
use sysv_shm::{Mode, Segment, list};
use testkit::{Finished, Program, folder, need};

use endings::*;
use looking::*;
use notes::*;
use trouble::*;

testkit::cases! {
    a_note_that_is_written_can_be_read needs need::sysv;
    each_line_of_input_is_a_note_and_the_segment_stays_attached needs need::sysv;
    a_follower_prints_each_note_once needs need::sysv;
    a_follower_waits_for_a_segment_and_notices_its_removal needs need::sysv;
    reading_where_nothing_is_says_what_to_type needs need::sysv;
    an_empty_note_and_a_note_that_vanished_are_told_apart needs need::sysv;
    status_tells_all_and_its_json_the_same needs need::sysv;
    removing_says_if_the_segment_lingers needs need::sysv;
    list_and_limits_can_be_read_by_people_and_programs needs need::sysv;
    the_key_is_drawn_with_its_parts;
    the_default_key_is_the_same_from_any_folder_and_differs_by_user needs need::sysv;
    a_size_or_mode_that_was_named_has_to_be_so needs need::sysv;
    a_text_that_does_not_fit_changes_nothing needs need::sysv;
    bytes_that_are_no_text_are_shown_and_counted needs need::sysv;
    a_note_whose_writer_died_is_reported_and_replaced needs need::sysv;
    a_reader_does_not_wait_for_a_stuck_writer_for_ever needs need::sysv;
    a_writer_says_for_whom_it_waits_and_can_be_interrupted needs need::sysv;
    signals_end_every_waiting_command_and_show_in_the_exit_status needs need::sysv;
    a_closed_pipe_ends_a_command_in_silence needs need::sysv;
    wrong_usage_is_exit_code_2;
    colours_are_only_for_terminals_that_want_them needs need::sysv, script;
    the_demo_shows_what_the_kernel_holds_and_leaves_nothing needs need::sysv;
    a_demo_that_is_interrupted_leaves_nothing needs need::sysv;
    a_demo_that_is_killed_leaves_nothing needs need::sysv;
    a_full_system_is_named needs need::sysv, need::root, need::namespaces;
}

const OURS: &str = env!("CARGO_BIN_EXE_sysv-shm");

/// `script` gives a program a terminal.
fn script() -> Result<(), String> {
    let mut there = Command::new("script");
    there.arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match there.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("there is no `script` to give a program a terminal".into()),
    }
}

/// One note's name, and the commands on it.
struct Note(Key);

impl Note {
    fn new() -> Note {
        Note(key())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(OURS);
        command.args(arguments).args(["--key", &self.0.to_string()]);
        command
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        Program::run(&mut self.command(arguments))
    }

    fn start(&self, arguments: &[&str]) -> Program {
        Program::start(&mut self.command(arguments))
    }

    fn fails(&self, arguments: &[&str], because: &[&str]) {
        let finished = self.run(arguments);
        assert_eq!(finished.code(), Some(1), "{finished:?}");
        assert!(finished.stderr.starts_with("error: "), "{finished:?}");
        assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
        for part in because {
            assert!(finished.stderr.contains(part), "{finished:?} lacks {part}");
        }
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(arguments).ok()).unwrap()
    }

    fn attached(&self) -> u64 {
        Segment::open(self.0).and_then(Segment::stat).map_or(0, |stat| stat.attached)
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let _ = sysv_shm::note::remove(self.0);
    }
}
