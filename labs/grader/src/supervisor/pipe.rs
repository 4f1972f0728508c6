//! A cell, as the supervisor has it in hand: a job in, events out, and an end in any case.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ipc_common::{Error, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::cell::{Event, Job};

/// The longest time in which a healthy cell tells nothing: a build's, and then some.
const SILENCE: Duration = Duration::from_secs(200);
/// How much a cell may say in all. Its own words are few.
const MOST: usize = 64 << 20;

pub(super) struct Cell {
    child: Child,
    control: Option<ChildStdin>,
    heard: Vec<u8>,
    events: VecDeque<Event>,
    ended: bool,
}

/// Why there are no more events.
pub(super) enum End {
    /// The cell, and every keeper in it, has gone.
    Gone,
    /// It has been silent for too long, or says what it should not.
    Broken(String),
}

impl Cell {
    pub(super) fn start(program: &Path, job: &Job) -> Result<Cell> {
        let mut command = Command::new(program);
        command.arg("cell").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // Nothing of the supervisor's surroundings is needed there.
        command.env_clear();
        let mut child = command
            .spawn()
            .map_err(|error| Error::from_io("execve", &error, program.display().to_string()))?;
        let mut control = child.stdin.take();
        if let Some(control) = &mut control {
            let mut line = serde_json::to_vec(job).unwrap_or_default();
            line.push(b'\n');
            // One that has gone already shows itself when its events are read.
            let _ = control.write_all(&line);
        }
        let events = VecDeque::new();
        Ok(Cell { child, control, heard: Vec::new(), events, ended: false })
    }

    /// The next event.
    pub(super) fn next(&mut self) -> std::result::Result<Event, End> {
        let until = Instant::now() + SILENCE;
        let mut total = 0;
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            if self.ended {
                return Err(End::Gone);
            }
            let now = Instant::now();
            if now > until {
                return Err(End::Broken(format!("the cell said nothing for {SILENCE:?}")));
            }
            total += self.listen(until - now);
            if total > MOST {
                return Err(End::Broken("the cell talks without end".into()));
            }
            while let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                match serde_json::from_slice(&line) {
                    Ok(event) => self.events.push_back(event),
                    Err(error) => {
                        return Err(End::Broken(format!("a line of the cell's: {error}")));
                    }
                }
            }
        }
    }

    fn listen(&mut self, limit: Duration) -> usize {
        let Some(out) = &mut self.child.stdout else {
            self.ended = true;
            return 0;
        };
        let mut ready = [PollFd::new(out.as_fd(), PollFlags::POLLIN)];
        let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
        if !matches!(poll(&mut ready, limit), Ok(1..)) {
            return 0;
        }
        let mut block = [0; 16 * 1024];
        match out.read(&mut block) {
            Ok(0) => self.ended = true,
            Ok(count) => {
                self.heard.extend_from_slice(&block[..count]);
                return count;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => self.ended = true,
        }
        0
    }

    /// Tells the warden to end everything, and waits for that: by the end of the pipe that every
    /// process of ours in there holds. How the warden ended.
    pub(super) fn end(mut self) -> Option<ExitStatus> {
        self.control = None;
        let until = Instant::now() + Duration::from_secs(60);
        while !self.ended && Instant::now() < until {
            self.listen(Duration::from_millis(200));
        }
        if !self.ended {
            let _ = self.child.kill();
        }
        self.child.wait().ok()
    }
}
