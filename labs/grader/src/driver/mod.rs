//! Talking to a student's program: start, ask, answer, time-out.
//!
//! The lab's `driver.rs` reads a line from its standard input, calls one function of the student's
//! library, prints one line, and flushes. Words are separated by blanks:
//!
//! ```text
//!   request   TOKEN word word…
//!   answer    TOKEN ok word word…          done; the words are what the function returned
//!             TOKEN err ERRNO word word…   an ipc_common::Error, its errno by name
//!             TOKEN err - TEXT             another error, its text in hex
//! ```
//!
//! `TOKEN` is random and another one for each request, so that what the student's code prints by
//! itself does not count as an answer. Bytes and paths are words in [`hex`]; `-` stands for none. A
//! request that the driver does not know is answered by `err EINVAL`. At the end of its input it
//! drops all it has and returns from `main`.
//!
//! Whatever the driver answers is a *claim*: the student's code could print the same. A check pairs
//! it with what the kernel shows.

mod answer;
mod hex;
mod patience;
mod pipes;

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::check::Stop;
use crate::evidence::process::{self, Mapping};
use crate::random::Random;
use crate::sandbox::{Ended, Process};

pub use answer::{Answer, Reply};
pub use hex::{hex, hex_path, unhex};
use patience::Patience;
pub(crate) use pipes::{Ends, Listener};
use pipes::{Line, Pipes};

/// After how long a program that sleeps is taken to sleep for ever; and how much CPU time one that
/// runs may use before it is taken to run for ever. What it waited for a processor does not count.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// When nothing is waited for any longer.
const LONG_PATIENCE: Duration = Duration::from_secs(8);

/// A running program of a student's: the lab's driver with the student's library.
#[derive(Debug)]
pub struct Driver {
    process: Process,
    pipes: Pipes,
    tokens: Random,
    ended: Option<Ended>,
}

/// A request that was sent, and whose answer has not been taken yet.
#[derive(Debug)]
#[must_use = "an answer that is not waited for is mistaken for a stray line"]
pub struct Asked {
    token: String,
    request: String,
}

impl Driver {
    pub(crate) fn new(mut process: Process, tokens: Random) -> Result<Driver, Stop> {
        let ends = process.take_pipes().ok_or_else(|| Stop::grader("a process has one driver"))?;
        Ok(Driver { process, pipes: Pipes::new(ends), tokens, ended: None })
    }

    /// Asks, and waits for the answer: [`PATIENCE`], and longer while the program waits for a processor.
    pub fn ask(&mut self, words: &[&str]) -> Answer {
        let asked = self.send(words);
        self.wait(asked)
    }

    /// Asks, and does not wait: so that several drivers are at work at the same time.
    pub fn send(&mut self, words: &[&str]) -> Asked {
        let token = format!("{:016x}", self.tokens.u64());
        let request = words.join(" ");
        // A program that has gone shows itself when the answer is waited for.
        self.pipes.tell(&format!("{token} {request}\n"), Instant::now() + PATIENCE);
        Asked { token, request }
    }

    /// Waits for the answer to a request.
    pub fn wait(&mut self, asked: Asked) -> Answer {
        let mut patience = Patience::with(self.pid());
        let mut until = Instant::now() + PATIENCE;
        loop {
            match self.pipes.line(until) {
                Line::Silence if patience.lasts() => until = Instant::now() + patience::LOOK,
                line => return self.answer(asked, line),
            }
        }
    }

    /// Whether its keeper was killed. What the program does then, nobody sees to the end.
    fn is_lost(&mut self) -> bool {
        self.wait_for_end(Duration::ZERO) == Some(Ended::Lost)
    }

    /// Waits for the answer for `limit` and no longer: where silence is what is expected.
    ///
    /// # Errors
    ///
    /// The request again, if there is no answer yet.
    pub fn wait_within(&mut self, asked: Asked, limit: Duration) -> Result<Answer, Asked> {
        match self.pipes.line(Instant::now() + limit) {
            Line::Silence if !self.is_lost() => Err(asked),
            line => Ok(self.answer(asked, line)),
        }
    }

    fn answer(&mut self, asked: Asked, line: Line) -> Answer {
        let reply = match line {
            Line::Silence if self.is_lost() => Reply::Ended(Ended::Lost),
            Line::Silence => Reply::Silence,
            Line::End => match self.wait_for_end(PATIENCE) {
                Some(ended) => Reply::Ended(ended),
                None => Reply::Stray("it closed its standard output".into()),
            },
            Line::TooLong => Reply::Stray("it printed without end".into()),
            Line::Is(line) => answer::parse(&line, &asked.token),
        };
        Answer { request: asked.request, reply }
    }

    /// Its process id, as the checks see it.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// What it has mapped: /proc/PID/maps.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it has ended.
    pub fn maps(&self) -> Result<Vec<Mapping>, Stop> {
        process::maps(self.process.pid(), self.process.identity())
    }

    /// The inodes of the regular files that it has open: /proc/PID/fd.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it has ended.
    pub fn open_files(&self) -> Result<Vec<u64>, Stop> {
        process::open_files(self.process.pid(), self.process.identity())
    }

    /// Stops it where it is (SIGSTOP), until [`Driver::resume`]. Returns once it has stopped.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it has ended.
    pub fn pause(&mut self) -> Result<(), Stop> {
        self.signal(Signal::SIGSTOP)?;
        let until = Instant::now() + LONG_PATIENCE;
        while process::state(self.pid()).is_some_and(|state| state != 'T') {
            if Instant::now() > until {
                return Err(Stop::grader(format!("process {} does not stop", self.pid())));
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        Ok(())
    }

    /// Lets it go on.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it has ended.
    pub fn resume(&mut self) -> Result<(), Stop> {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&mut self, signal: Signal) -> Result<(), Stop> {
        if let Some(ended) = self.wait_for_end(Duration::ZERO) {
            return Err(ended_early(ended));
        }
        self.process.signal(signal);
        Ok(())
    }

    /// `kill -9`: it gets no chance to clean up. Returns how it ended, which is by that signal unless
    /// it was faster.
    ///
    /// # Errors
    ///
    /// [`Stop::Grader`] if it does not end, or nobody knows how.
    pub fn kill_9(&mut self) -> Result<Ended, Stop> {
        self.process.signal(Signal::SIGKILL);
        let ended = self.wait_for_end(LONG_PATIENCE);
        known(ended.ok_or_else(|| Stop::grader("it survives SIGKILL"))?)
    }

    /// Ends its input, upon which it has to return from `main`, and waits for that.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it does not end.
    pub fn finish(&mut self) -> Result<Ended, Stop> {
        self.pipes.end_input();
        let mut patience = Patience::with(self.pid());
        let mut ended = self.wait_for_end(PATIENCE);
        while ended.is_none() && patience.lasts() {
            ended = self.wait_for_end(patience::LOOK);
        }
        known(ended.ok_or_else(|| {
            Stop::failed("the program ends at the end of its input", "it is still there")
        })?)
    }

    /// [`Driver::finish`], and it has to end with exit code 0.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it does not.
    pub fn finish_cleanly(&mut self) -> Result<(), Stop> {
        match self.finish()? {
            Ended::Exited(0) => Ok(()),
            ended => Err(Stop::failed("the program ends with exit code 0", ended.to_string())),
        }
    }

    /// How it ended, if it does within `limit`.
    pub fn wait_for_end(&mut self, limit: Duration) -> Option<Ended> {
        if self.ended.is_none() {
            let until = Instant::now() + limit;
            self.ended = self.process.wait(until, &mut || self.pipes.drain());
        }
        self.ended
    }

    /// What it complained about on standard error, the beginning of it, made harmless. For people;
    /// no check should go by it.
    pub fn complaints(&mut self) -> String {
        self.pipes.drain();
        crate::shown::harmless(self.pipes.complaints())
    }
}

/// How it ended, which has to be known: what the program does not answer for, no check judges by.
fn known(ended: Ended) -> Result<Ended, Stop> {
    match ended {
        Ended::Lost => Err(Stop::grader(ended.to_string())),
        ended => Ok(ended),
    }
}

fn ended_early(ended: Ended) -> Stop {
    match known(ended) {
        Ok(ended) => Stop::failed("the program is still running", ended.to_string()),
        Err(lost) => lost,
    }
}
