//! The terminal, given back however it ends, and taken again.

use std::fs;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use testkit::Program;

use crate::support::sparse;
use crate::tmux::{Terminal, gone, quoted};

pub fn each_way_to_quit_gives_the_terminal_back() {
    for (key, code) in [("q", 0), ("Escape", 0), ("C-c", 130)] {
        let (folder, _file) = sparse(4);
        let terminal = Terminal::watching(&folder.file("pages"), "", "");
        terminal.wait_for("q quit");
        terminal.press(key);
        terminal.ended_with(code);
    }
}

pub fn each_signal_gives_the_terminal_back() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT] {
        let (folder, _file) = sparse(4);
        let terminal = Terminal::watching(&folder.file("pages"), "ulimit -c 0;", "");
        terminal.wait_for("q quit");
        terminal.signal(signal);
        terminal.ended_with(128 + signal as i32);
    }
}

/// In a shell with job control, by the key and by `kill -TSTP`.
pub fn a_suspended_one_gives_the_terminal_back_and_takes_it_again() {
    let (folder, _file) = sparse(4);
    let terminal = Terminal::running("exec bash --norc --noprofile -i");
    let program = quoted(Path::new(env!("CARGO_BIN_EXE_page-sync")));
    let watch = format!("{program} watch {}", quoted(&folder.file("pages")));
    terminal.tmux(&["send-keys", "-l", &watch]);
    terminal.press("Enter");
    for by_key in [true, false] {
        terminal.wait_for("q quit");
        if by_key {
            terminal.press("C-z");
        } else {
            let pid = terminal.tmux(&["display-message", "-p", "#{pane_pid}"]);
            let children = format!("/proc/{0}/task/{0}/children", pid.trim());
            let child: i32 = fs::read_to_string(children).unwrap().trim().parse().unwrap();
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(child), Signal::SIGTSTP).unwrap();
        }
        terminal.wait_for("Stopped");
        terminal.tmux(&["send-keys", "-l", "clear; stty -a; echo to''ld"]);
        terminal.press("Enter");
        terminal.is_restored_in_a_shell();
        terminal.tmux(&["send-keys", "-l", "fg"]);
        terminal.press("Enter");
    }
    terminal.wait_for("q quit");
    terminal.press("q");
    // What is typed earlier, it would take for keys of its own.
    terminal.wait("the first screen", |shown| !shown.contains("q quit"));
    terminal.tmux(&["send-keys", "-l", "echo ended with $?"]);
    terminal.press("Enter");
    terminal.wait_for("ended with 0");
}

/// SIGSTOP cannot be noticed. Whoever had the terminal meanwhile has drawn on it.
pub fn one_that_was_stopped_unseen_takes_the_terminal_again() {
    let (folder, _file) = sparse(4);
    let terminal = Terminal::watching(&folder.file("pages"), "", "");
    terminal.wait_for("q quit");
    terminal.signal(Signal::SIGSTOP);
    let tty = terminal.tmux(&["display-message", "-p", "#{pane_tty}"]);
    let stty = |what: &str| Program::run(Command::new("stty").args(["-F", tty.trim(), what])).ok();
    stty("sane");
    fs::write(tty.trim(), "\x1b[2J\x1b[Hscribbled").unwrap();
    terminal.wait("only what was scribbled", |shown| shown.trim() == "scribbled");
    terminal.signal(Signal::SIGCONT);
    let shown = terminal.wait_for("q quit");
    assert!(!shown.contains("scribbled"), "{shown}");
    assert!(stty("-a").contains("-icanon"), "each key at once, again");
    terminal.press("q");
    terminal.ended_with(0);
}

pub fn a_terminal_that_goes_away_ends_it() {
    let (folder, _file) = sparse(4);
    let terminal = Terminal::watching(&folder.file("pages"), "", "");
    terminal.wait_for("q quit");
    let pid = terminal.pid();
    terminal.kill_session();
    assert!(gone(pid), "it goes on without a terminal");
}
