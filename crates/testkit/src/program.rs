//! Programs that a case starts, talks to, and listens to. Every wait has an end.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// When a program that should speak or end is taken to be stuck.
const PATIENCE: Duration = Duration::from_secs(40);

/// A process of this case: whose segments the sweep looks for.
#[derive(Clone, Copy)]
pub(crate) struct Started {
    pid: u32,
    /// Since 1970. A busy machine gives a number again within minutes: what is older than this was
    /// made by somebody else who had the number before.
    second: u64,
}

impl Started {
    fn at(pid: u32, time: SystemTime) -> Started {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        Started { pid, second: since.map_or(0, |since| since.as_secs()) }
    }

    /// Whether it made, or used, what `pid` made or used at `second`.
    pub(crate) fn is(&self, pid: u32, second: u64) -> bool {
        self.pid == pid && self.second <= second
    }
}

/// The processes of this case.
static STARTED: Mutex<Vec<Started>> = Mutex::new(Vec::new());

/// Every process this case started, itself included.
pub(crate) fn started() -> Vec<Started> {
    STARTED.lock().expect("no case panics in here").clone()
}

/// Counts a process among those of this case. `before` is a time before it was started.
pub(crate) fn remember(pid: u32, before: SystemTime) {
    STARTED.lock().expect("no case panics in here").push(Started::at(pid, before));
}

/// A running program.
pub struct Program {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    heard: Vec<String>,
    complaints: Arc<Complaints>,
    errors: Option<JoinHandle<()>>,
}

/// What a program has written to standard error so far.
#[derive(Default)]
struct Complaints {
    bytes: Mutex<Vec<u8>>,
    more: Condvar,
}

impl Complaints {
    /// Until there are no more.
    fn listen(&self, mut from: impl Read) {
        let mut some = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut some) {
            self.bytes.lock().expect("no panic in here").extend_from_slice(&some[..count]);
            self.more.notify_all();
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no panic in here")).into_owned()
    }
}

/// A program that has ended.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// All it printed.
    pub stdout: String,
    /// All it complained about.
    pub stderr: String,
}

impl Program {
    /// Starts a program.
    pub fn start(command: &mut Command) -> Program {
        let name = format!("{command:?}");
        let before = SystemTime::now();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        remember(child.id(), before);
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let stderr = child.stderr.take().expect("it is piped");
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.split(b'\n') {
                let Ok(line) = line else { break };
                if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
        let complaints = Arc::new(Complaints::default());
        let listening = complaints.clone();
        let errors = Some(thread::spawn(move || listening.listen(stderr)));
        Program { child, input, lines, heard: Vec::new(), complaints, errors }
    }

    /// Starts a program with arguments only.
    pub fn with<S: AsRef<OsStr>>(path: &str, arguments: impl IntoIterator<Item = S>) -> Program {
        Program::start(Command::new(path).args(arguments))
    }

    /// Runs a program to its end, with nothing to read.
    pub fn run(command: &mut Command) -> Finished {
        Program::start(command).finish()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives it a line, or bytes, to read; whether it still reads them is not looked at.
    pub fn tell(&mut self, text: impl AsRef<[u8]>) {
        if let Some(input) = &mut self.input {
            let _ = input.write_all(text.as_ref()).and_then(|()| input.flush());
        }
    }

    /// The next line it prints.
    ///
    /// # Panics
    ///
    /// If it ends instead, or stays silent.
    pub fn line(&mut self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                self.heard.push(line.clone());
                line
            }
            Err(RecvTimeoutError::Timeout) => panic!("silent after {:?}", self.heard),
            Err(RecvTimeoutError::Disconnected) => {
                let _ = self.child.kill();
                let complaints = self.all_complaints();
                panic!("ended after {:?}: {complaints:?}", self.heard);
            }
        }
    }

    /// Skips lines up to one that contains `part`, and returns that.
    pub fn line_with(&mut self, part: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(part) {
                return line;
            }
        }
    }

    /// The next line if one comes within `limit`.
    pub fn line_within(&mut self, limit: Duration) -> Option<String> {
        let line = self.lines.recv_timeout(limit).ok()?;
        self.heard.push(line.clone());
        Some(line)
    }

    /// Waits until it has complained of `what` so many times, counted from its start.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn complained(&self, what: &str, times: usize) {
        let enough =
            |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).matches(what).count() >= times;
        let bytes = self.complaints.bytes.lock().expect("no panic in here");
        let waited =
            self.complaints.more.wait_timeout_while(bytes, PATIENCE, |bytes| !enough(bytes));
        let (bytes, waited) = waited.expect("no panic in here");
        let heard = String::from_utf8_lossy(&bytes).into_owned();
        drop(bytes);
        assert!(!waited.timed_out(), "not {times} times {what:?}: {heard:?}");
    }

    /// All that it has complained about, once it has ended.
    fn all_complaints(&mut self) -> String {
        let _ = self.errors.take().map(JoinHandle::join);
        self.complaints.text()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), signal);
    }

    /// Whether it is still running.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    /// Ends its input and waits for its end.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub fn finish(mut self) -> Finished {
        drop(self.input.take());
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                break status;
            }
            if Instant::now() > until {
                let _ = self.child.kill();
                panic!("does not end; it said {:?}", self.heard);
            }
            thread::sleep(Duration::from_millis(1));
        };
        // A grandchild may hold the pipe open; what came by now is what there is.
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(2)) {
            self.heard.push(line);
        }
        let stderr = self.all_complaints();
        let stdout = self.heard.iter().map(|line| format!("{line}\n")).collect();
        Finished { status, stdout, stderr }
    }

    /// Kills it as `kill -9` would, and waits for its end.
    pub fn kill_9(self) -> Finished {
        self.signal(Signal::SIGKILL);
        self.finish()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Finished {
    /// The exit code; `None` if a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// What it printed, once it is sure that it succeeded and did not complain.
    ///
    /// # Panics
    ///
    /// If it failed, or complained.
    pub fn ok(self) -> String {
        assert!(self.status.success() && self.stderr.is_empty(), "{self:?}");
        self.stdout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_heard_while_the_program_runs() {
        let say = "echo one >&2; read answer; echo \"two one\" >&2; read answer";
        let mut program = Program::with("sh", ["-c", say]);
        program.complained("one", 1);
        program.tell("\n");
        program.complained("one", 2);
        assert!(program.is_running());
        assert_eq!(program.finish().stderr, "one\ntwo one\n");
    }

    #[test]
    fn what_was_made_before_a_process_was_started_is_somebody_elses() {
        let ours = Started::at(7, SystemTime::UNIX_EPOCH + Duration::from_millis(5_900));
        assert!(ours.is(7, 5) && ours.is(7, 6));
        assert!(!ours.is(7, 4), "who had the number before");
        assert!(!ours.is(8, 6));
    }
}
