//! What these tests share.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ipc_common::note::Reading;
use mmap_file::note::{Adopt, NoteReader, NoteWriter};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use testkit::{Folder, Program};

pub const SECOND: Duration = Duration::from_secs(1);

/// The binary, with arguments.
pub fn mmap_file<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmap-file"));
    command.args(arguments);
    command
}

/// `mmap-file COMMAND PATH`
pub fn on(command: &str, path: &Path) -> Command {
    mmap_file([OsStr::new(command), path.as_os_str()])
}

/// Makes `text` the note, by a writer process.
pub fn write(path: &Path, text: &str) {
    let mut writer = Program::start(&mut on("writer", path));
    writer.tell(format!("{text}\n"));
    writer.finish().ok();
}

/// What a reader of the library finds.
pub fn read(path: &Path) -> Reading {
    NoteReader::open(path).unwrap().read().unwrap()
}

pub fn text(path: &Path) -> String {
    read(path).text().expect("a whole note").to_string()
}

pub fn writer(path: &Path) -> NoteWriter {
    NoteWriter::open(path, Adopt::Lecture, SECOND).unwrap().0
}

/// Compiles one of `tests/c`.
pub fn compile(name: &str, folder: &Folder) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c").join(format!("{name}.c"));
    let program = folder.file(name);
    let warnings = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o"];
    let made = Program::run(Command::new("cc").args(warnings).arg(&program).arg(source));
    assert!(made.status.success(), "{}", made.stderr);
    program
}

/// A child of ours that runs `body` until it is killed or ends. Killed when dropped.
pub struct Child(Pid);

impl Child {
    pub fn start(body: impl FnOnce()) -> Child {
        // SAFETY: the case has one thread, so the child may do whatever a process may.
        match unsafe { fork() }.unwrap() {
            ForkResult::Parent { child } => Child(child),
            ForkResult::Child => {
                let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_ok();
                // SAFETY: _exit ends the child without running what belongs to the parent.
                unsafe { libc::_exit(if done { 0 } else { 101 }) }
            }
        }
    }

    /// Waits for its end; it has to end well.
    pub fn join(self) {
        let status = waitpid(self.0, None).unwrap();
        std::mem::forget(self);
        assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
    }

    /// Waits for its end, and names the signal that it died of. 0: none.
    pub fn signal(self) -> i32 {
        let status = waitpid(self.0, None).unwrap();
        std::mem::forget(self);
        if let WaitStatus::Signaled(_, signal, _) = status { signal as i32 } else { 0 }
    }

    pub fn is_running(&self) -> bool {
        use nix::sys::wait::{Id, WaitPidFlag, waitid};
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        waitid(Id::Pid(self.0), flags) == Ok(WaitStatus::StillAlive)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGKILL);
        let _ = waitpid(self.0, None);
    }
}

/// The figures of a storm, for who wants them: the variable names a file.
pub fn told(figures: &str) {
    if let Some(path) = std::env::var_os("STORM_FIGURES") {
        let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
        std::io::Write::write_all(&mut file, format!("{figures}\n").as_bytes()).unwrap();
    }
}
