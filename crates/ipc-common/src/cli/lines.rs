//! Standard input, line by line, without sleeping through a signal: `std`'s own reader starts its
//! `read` again after every handler, and would sit there until the next line.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Failure, Quit};
use crate::error::Error;

/// A line of standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line without its end. Of a line longer than the limit, the beginning.
    pub bytes: Vec<u8>,
    /// How many bytes of the line were thrown away, because it was longer than the limit.
    pub dropped: usize,
}

/// The lines of standard input. It buffers, so there should be one for the whole program.
#[derive(Debug)]
pub struct Lines {
    waiting: VecDeque<u8>,
    current: Line,
    limit: usize,
    ended: bool,
}

impl Lines {
    /// Lines of at most `limit` bytes; what is longer is cut, and says so.
    pub fn new(limit: usize) -> Lines {
        let current = Line { bytes: Vec::new(), dropped: 0 };
        Lines { waiting: VecDeque::new(), current, limit, ended: false }
    }

    /// The next line; `None` at the end of the input. A last line without an end counts.
    ///
    /// # Errors
    ///
    /// [`Failure::Signal`] if a signal came while it waited; [`Failure::Error`] if `read` failed.
    pub fn next(&mut self, quit: &Quit) -> Result<Option<Line>, Failure> {
        loop {
            quit.check()?;
            while let Some(byte) = self.waiting.pop_front() {
                if byte == b'\n' {
                    return Ok(Some(self.take()));
                } else if self.current.bytes.len() < self.limit {
                    self.current.bytes.push(byte);
                } else {
                    self.current.dropped += 1;
                }
            }
            if self.ended {
                let last = self.take();
                return Ok((!last.bytes.is_empty()).then_some(last));
            }
            self.fill()?;
        }
    }

    fn take(&mut self) -> Line {
        std::mem::replace(&mut self.current, Line { bytes: Vec::new(), dropped: 0 })
    }

    /// Waits for input, for a nap at most, and takes what there is.
    fn fill(&mut self) -> Result<(), Failure> {
        let failed = |errno| Failure::Error(Error::new("read", errno, "standard input"));
        let stdin = io::stdin();
        let mut ready = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        let nap = PollTimeout::try_from(Quit::NAP).unwrap_or(PollTimeout::ZERO);
        match poll(&mut ready, nap) {
            Ok(0) | Err(Errno::EINTR) => return Ok(()),
            Ok(_) => {}
            Err(errno) => return Err(failed(errno)),
        }
        // Not through `Stdin`'s own buffer, into which `poll` cannot look.
        let mut block = [0; 8192];
        match nix::unistd::read(stdin.as_fd(), &mut block) {
            Ok(0) => self.ended = true,
            Ok(count) => self.waiting.extend(&block[..count]),
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(errno) => return Err(failed(errno)),
        }
        Ok(())
    }
}
