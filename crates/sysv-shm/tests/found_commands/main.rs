//! What a reviewer found who used the binary. Each of these failed.

#[path = "../common/mod.rs"]
mod common;
mod errors;
mod going_on;
mod withdrawn;

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use common::{child, key};
use ipc_common::Key;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid};
use sysv_shm::{Lock, Mode, Segment, list, user_name};
use testkit::{Finished, Program, need};

use errors::*;
use going_on::*;
use withdrawn::*;

testkit::cases! {
    a_text_that_would_not_fit_creates_nothing needs need::sysv;
    a_mode_that_shuts_out_its_owner_creates_nothing needs need::sysv;
    a_segment_that_cannot_be_attached_is_gone_again needs need::sysv;
    a_segment_that_gets_no_lock_is_gone_again needs need::sysv, need::root, need::namespaces;
    input_that_cannot_be_read_leaves_no_segment needs need::sysv;
    lines_of_which_none_was_written_leave_no_segment needs need::sysv;
    output_that_cannot_be_written_leaves_no_segment needs need::sysv;
    what_somebody_has_written_is_not_withdrawn needs need::sysv;
    the_way_to_remove_a_segment_names_its_key needs need::sysv;
    the_largest_size_is_given_in_full needs need::sysv;
    a_page_too_many_is_one_page needs need::sysv, need::root, need::namespaces;
    who_is_shut_out_learns_by_whom needs need::sysv, need::root;
    removing_and_looking_where_nothing_is_advise_no_creation needs need::sysv;
    semaphores_without_a_segment_are_reported needs need::sysv;
    lines_go_on_in_a_new_segment needs need::sysv;
    a_line_cut_for_the_old_segment_is_not_written_into_a_larger_one needs need::sysv;
    at_a_terminal_a_writer_of_lines_says_what_to_do needs need::sysv, terminal;
    without_a_keyboard_nobody_is_told_what_to_type needs need::sysv, terminal;
    tables_fit_80_columns needs need::sysv;
    several_words_are_one_text needs need::sysv;
}

/// `script` gives a program a terminal.
fn terminal() -> Result<(), String> {
    let mut there = Command::new("script");
    there.arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match there.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("there is no `script` to give a program a terminal".into()),
    }
}

const OURS: &str = env!("CARGO_BIN_EXE_sysv-shm");

struct Note(Key);

impl Note {
    fn new() -> Note {
        Note(key())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(OURS);
        command.args(arguments).args(["--key", &self.0.to_string()]);
        // As if it had not been cargo that started us; hints depend on it.
        command.env_remove("CARGO_PKG_NAME");
        command
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        Program::run(&mut self.command(arguments))
    }

    fn expect_nothing(&self) {
        assert!(Segment::open(self.0).is_err(), "a segment was left");
        assert!(Lock::open(self.0).is_err(), "a lock was left");
    }

    fn remove_command(&self) -> String {
        format!("{OURS} remove --key {}", self.0)
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let _ = sysv_shm::note::remove(self.0);
    }
}

/// One line of complaint, exit code 1.
fn complaint(finished: Finished) -> String {
    assert_eq!(finished.code(), Some(1), "{finished:?}");
    assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
    finished.stderr
}
