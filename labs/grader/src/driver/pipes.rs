//! The driver's three pipes, read without ever waiting longer than said, and bounded: a program that
//! prints without end fills nothing but its own pipe.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// The longest answer.
const LINE: usize = 2 << 20;
/// How much of its complaints is kept.
const COMPLAINTS: usize = 16 * 1024;

/// Ours ends of the three pipes.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) stdin: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
}

#[derive(Debug)]
pub(super) struct Pipes {
    stdin: Option<File>,
    stdout: Option<File>,
    stderr: Option<File>,
    heard: Vec<u8>,
    complaints: Vec<u8>,
}

/// What standard output had.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, without its end.
    Is(Vec<u8>),
    /// Nothing in time.
    Silence,
    /// Its end.
    End,
    /// A line longer than any answer.
    TooLong,
}

impl Pipes {
    pub(super) fn new(ends: Ends) -> Pipes {
        for end in [&ends.stdin, &ends.stdout, &ends.stderr] {
            // Fails only for a number that is no descriptor.
            let _ = fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK));
        }
        Pipes {
            stdin: Some(ends.stdin.into()),
            stdout: Some(ends.stdout.into()),
            stderr: Some(ends.stderr.into()),
            heard: Vec::new(),
            complaints: Vec::new(),
        }
    }

    /// Sends text, until then. What a program that does not read leaves in the pipe is lost: it will
    /// not answer.
    pub(super) fn tell(&mut self, text: &str, until: Instant) {
        let mut rest = text.as_bytes();
        while let Some(stdin) = &mut self.stdin
            && !rest.is_empty()
            && Instant::now() < until
        {
            match stdin.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let mut ready = [PollFd::new(stdin.as_fd(), PollFlags::POLLOUT)];
                    let _ = poll(&mut ready, PollTimeout::from(20_u8));
                    // It may be talking instead of listening.
                    self.drain();
                    self.listen();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.stdin = None,
            }
        }
    }

    pub(super) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// The next line, until then.
    pub(super) fn line(&mut self, until: Instant) -> Line {
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.heard.drain(..=end).collect();
                line.pop();
                return Line::Is(line);
            }
            if self.heard.len() > LINE {
                return Line::TooLong;
            }
            if self.stdout.is_none() {
                return Line::End;
            }
            let now = Instant::now();
            if now >= until {
                return Line::Silence;
            }
            self.sleep_until_ready(until - now);
            self.listen();
            self.drain();
        }
    }

    fn sleep_until_ready(&self, limit: std::time::Duration) {
        let both = [&self.stdout, &self.stderr];
        let mut ready: Vec<PollFd<'_>> = both
            .into_iter()
            .flatten()
            .map(|file| PollFd::new(file.as_fd(), PollFlags::POLLIN))
            .collect();
        // Rounded up: a wait of no time would be a busy loop.
        let limit = limit + std::time::Duration::from_millis(1);
        let _ = poll(&mut ready, PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX));
    }

    fn listen(&mut self) {
        if read_some(&mut self.stdout, &mut self.heard, LINE + 1) {
            self.stdout = None;
        }
    }

    /// Takes the complaints that have come, so that their pipe does not fill up.
    pub(super) fn drain(&mut self) {
        loop {
            let before = self.complaints.len();
            if read_some(&mut self.stderr, &mut self.complaints, usize::MAX) {
                self.stderr = None;
            }
            if self.complaints.len() == before {
                return;
            }
            self.complaints.truncate(COMPLAINTS);
            if self.complaints.len() == COMPLAINTS && before == COMPLAINTS {
                return;
            }
        }
    }

    pub(super) fn complaints(&self) -> &[u8] {
        &self.complaints
    }
}

/// Reads a block if there is one and `into` has less than `most`; whether the end has come.
fn read_some(from: &mut Option<File>, into: &mut Vec<u8>, most: usize) -> bool {
    let Some(file) = from else { return false };
    if into.len() >= most {
        return false;
    }
    let mut block = [0; 16 * 1024];
    match file.read(&mut block) {
        Ok(0) => true,
        Ok(count) => {
            into.extend_from_slice(&block[..count]);
            false
        }
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
    }
}

/// A program that is only listened to: what it complains about, and no more than is bearable.
#[derive(Debug)]
pub(crate) struct Listener(Pipes);

impl Listener {
    /// Nobody talks to it: its input has ended.
    pub(crate) fn new(ends: Ends) -> Listener {
        let mut pipes = Pipes::new(ends);
        pipes.end_input();
        Listener(pipes)
    }

    /// Takes what has come. What is more than anybody reads is thrown away.
    pub(crate) fn drain(&mut self) {
        self.0.drain();
        self.0.listen();
        self.0.heard.clear();
    }

    /// What it complained about so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.complaints).into_owned()
    }
}
