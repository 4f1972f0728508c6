//! Every command as a student would run it; every deed of the tour against what others say of it.

mod dirty;
mod explain;
mod lazy;
mod overflow;
mod stories;
#[path = "../support/mod.rs"]
mod support;
mod tour;
mod usage;

use std::collections::HashMap;
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use support::PART;
use testkit::{Finished, Folder, Program, need};

use dirty::*;
use explain::*;
use lazy::*;
use overflow::*;
use stories::*;
use tour::*;
use usage::*;

testkit::cases! {
    all needs testkit::need::native;
    every_deed_is_reported_as_strace_sees_it needs need::strace;
    every_deed_kills_by_the_same_signal_without_any_net;
    every_deed_is_refused_for_the_reason_in_the_table;
    every_probe_returns_the_fault_of_the_plain_access;
    the_mistake_behind_a_deed_is_found;
    what_is_not_possible_here_is_named_with_a_reason;
    only_commits_what_was_asked_for;
    list_names_everything_and_commits_nothing;
    the_tour_reads_as_well_as_it_parses;
    raw_mends_a_page_once needs need::strace;
    truncate_kills_the_plain_reader_and_not_ours;
    an_interrupted_command_leaves_nothing;
    explain_tells_what_is_at_an_address;
    explain_is_about_the_process_that_was_named;
    a_process_that_is_not_there_has_a_clear_error;
    another_users_process_says_so needs need::ordinary_user;
    an_overflow_is_reported_at_its_byte_and_changes_a_plain_neighbour;
    the_fault_of_an_overflow_is_the_one_that_strace_sees needs need::strace;
    a_guarded_writer_dies_alone_as_it_does_before_an_audience;
    the_overflow_reads_as_well_as_it_parses;
    pages_are_filled_when_they_are_touched_and_only_then;
    lazy_faults_once_for_each_page_it_fills needs need::strace;
    lazy_says_which_pages_there_are;
    dirty_finds_the_pages_that_were_written_and_no_others;
    by_faults_each_page_costs_one_signal_a_round needs need::strace;
    the_kernel_finds_the_same_pages_without_a_signal needs need::strace, kernel_marks;
    where_the_kernel_has_no_marks_it_is_said;
    the_drawing_is_what_the_numbers_say;
    the_demo_tells_the_whole_story_and_leaves_nothing;
    a_closed_pipe_is_no_error;
    wrong_usage_is_exit_code_2;
    colours_are_for_terminals needs script;
}

fn segv_guard(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segv-guard"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Finished {
    Program::run(&mut segv_guard(arguments))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// The output, and the lines of strace about SIGSEGV in it and its children.
fn under_strace(arguments: &[&str]) -> (String, Vec<String>) {
    let folder = testkit::folder();
    let log = folder.file("log");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=none", "-e", "signal=SIGSEGV", "-o"]).arg(&log);
    strace.arg(env!("CARGO_BIN_EXE_segv-guard")).args(arguments);
    let printed = Program::run(&mut strace).ok();
    let log = fs::read_to_string(log).unwrap();
    let signals = log.lines().filter(|line| line.contains("{si_signo=SIGSEGV"));
    (printed, signals.map(str::to_owned).collect())
}

/// The tour's own report, by name; what was not possible here is left out.
fn tour() -> HashMap<String, Value> {
    let all = json(&run(&["tour", "--json"]).ok());
    let deeds = all["deeds"].as_array().unwrap().iter();
    let committed = deeds.filter(|deed| deed["skipped"].is_null());
    committed.map(|deed| (deed["name"].as_str().unwrap().to_owned(), deed.clone())).collect()
}

fn is_empty(folder: &Folder) {
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "something is left over");
}

fn script() -> Result<(), String> {
    match Command::new("script").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("there is no script(1) to make a terminal with".into()),
    }
}
