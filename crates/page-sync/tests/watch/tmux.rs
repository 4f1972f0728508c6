//! A terminal that can be looked at: tmux, with a server of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use testkit::{Folder, Program};

/// When a screen that should show something is taken to be stuck.
const PATIENCE: Duration = Duration::from_secs(40);

pub fn tmux() -> Result<(), String> {
    match Command::new("tmux").arg("-V").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("there is no tmux to make a terminal with".into()),
    }
}

/// A shell with job control.
pub fn bash() -> Result<(), String> {
    match Command::new("bash").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("there is no bash to suspend a job in".into()),
    }
}

/// A terminal of 80 by 24 in which a shell runs the program, and then says how it ended.
pub struct Terminal {
    folder: Folder,
}

impl Terminal {
    /// `page-sync watch PATH MORE`, with this before it, such as a variable.
    pub fn watching(path: &Path, before: &str, more: &str) -> Terminal {
        let program = quoted(Path::new(env!("CARGO_BIN_EXE_page-sync")));
        let command = format!("{before} exec {program} watch {} {more}", quoted(path));
        Terminal::running(&format!(
            "sh -c 'echo $$ >\"$HERE/pid\"; {}'; echo \"ended with $?\"; stty -a; \
             echo told; exec sleep 1000",
            command.replace('\'', r"'\''")
        ))
    }

    /// Any command line.
    pub fn running(line: &str) -> Terminal {
        let terminal = Terminal { folder: testkit::folder() };
        let here = quoted(terminal.folder.path());
        let line = format!("export HERE={here} LC_ALL=C.UTF-8; {line}");
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", &line]);
        terminal
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        // The shell of an account that nobody logs in to does not run anything.
        command.env("SHELL", "/bin/sh");
        command.arg("-S").arg(self.folder.file("socket")).args(arguments);
        command
    }

    pub fn tmux(&self, arguments: &[&str]) -> String {
        // The server that the first one starts keeps no pipe of ours.
        let finished = self.command(arguments).output().expect("tmux is there");
        assert!(finished.status.success(), "{arguments:?}: {finished:?}");
        String::from_utf8_lossy(&finished.stdout).into_owned()
    }

    /// What it shows now.
    pub fn shown(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// All that was said by the end, with the lines that were too long in one piece.
    pub fn said(&self) -> String {
        self.wait_for("told\n");
        self.tmux(&["capture-pane", "-p", "-J"])
    }

    /// With the sequences for colours.
    pub fn shown_with_colours(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-e"])
    }

    /// Waits until it shows something, and returns all that it then shows.
    pub fn wait(&self, what: &str, mut is: impl FnMut(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let shown = self.shown();
            if is(&shown) {
                return shown;
            }
            assert!(Instant::now() < until, "never shows {what}:\n{shown}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn wait_for(&self, part: &str) -> String {
        self.wait(part, |shown| shown.contains(part))
    }

    pub fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.tmux(&["resize-window", "-x", &columns, "-y", &rows]);
    }

    /// The program's process id, once the shell has become it.
    pub fn pid(&self) -> Pid {
        let pid = fs::read_to_string(self.folder.file("pid")).unwrap();
        Pid::from_raw(pid.trim().parse().unwrap())
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// It has ended so, and the terminal is as it was before.
    pub fn ended_with(&self, code: i32) {
        let shown = self.wait_for("told");
        assert!(shown.contains(&format!("ended with {code}\n")), "{shown}");
        self.is_restored(&shown);
    }

    /// By what stty said last: lines are edited and echoed; the cursor is there, and the screen is
    /// the first one.
    pub fn is_restored(&self, shown: &str) {
        let flags: Vec<&str> = shown.split_whitespace().collect();
        for flag in ["icanon", "echo", "isig", "icrnl", "opost"] {
            assert!(flags.contains(&flag), "{flag} is not set:\n{shown}");
        }
        let state = self.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]);
        assert_eq!(state.trim(), "0 1", "first screen, cursor shown");
    }

    /// The same in a shell that edits lines itself, and sets the terminal back only while a command
    /// runs: as stty saw it, which was one.
    pub fn is_restored_in_a_shell(&self) {
        let shown = self.wait_for("told\n");
        self.is_restored(&shown);
    }

    pub fn kill_session(&self) {
        self.tmux(&["kill-session"]);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The server made itself a daemon, and is ours since this case adopts orphans.
        let _ = self.command(&["kill-server"]).output();
        let until = Instant::now() + PATIENCE;
        while waitpid(None, Some(WaitPidFlag::WNOHANG)).is_ok() && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// For a shell.
pub fn quoted(path: &Path) -> String {
    let path = path.to_str().expect("the paths of tests are UTF-8");
    format!("'{}'", path.replace('\'', r"'\''"))
}

/// Waits until a process has ended that is no child of ours, or is one already reaped.
pub fn gone(pid: Pid) -> bool {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if state
            .rsplit(')')
            .next()
            .is_none_or(|rest| rest.trim().is_empty() || rest.starts_with(" Z"))
        {
            return true;
        }
        thread::sleep(Duration::from_millis(10));
    }
    false
}

/// The program where there is no terminal.
pub fn without_terminal(path: &Path, term: &str) -> testkit::Finished {
    let mut command = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_page-sync")));
    Program::run(command.arg("watch").arg(path).env("TERM", term))
}
