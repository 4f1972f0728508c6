//! One run of `sysv-shm write`: the segment it writes to, and another one when that is removed.

use std::io::Write as _;
use std::time::{Duration, Instant};

use ipc_common::cli::style::{FAINT, KERNEL};
use ipc_common::cli::{Failure, Line, Lines, Quit, out, warn};
use ipc_common::{Errno, Error, Key};
use sysv_shm::Opened;
use sysv_shm::note::{Before, NoteWriter};

use super::{Write, show};

/// When a writer that waits for the lock says for whom it waits.
const SILENCE: Duration = Duration::from_secs(1);

/// How many segments may be removed from under one line. Whoever removes them faster than that
/// does it on purpose, and should be found.
const ROUNDS: u32 = 100;

pub struct Session<'a> {
    command: &'a Write,
    key: Key,
    quit: &'a Quit,
    writer: NoteWriter,
    /// We created the segment.
    created: bool,
    /// We have written a note into it.
    written: bool,
}

impl<'a> Session<'a> {
    pub fn open(command: &'a Write, key: Key, quit: &'a Quit) -> Result<Session<'a>, Failure> {
        let opened = open(command, key)?;
        let created = opened.is_created();
        Ok(Session { command, key, quit, writer: opened.into_inner(), created, written: false })
    }

    /// Says which segment it is.
    pub fn introduce(&self) -> Result<(), Failure> {
        let mut out = out();
        let did = if self.created { "created and attached" } else { "attached" };
        let stat = match self.writer.segment().stat() {
            // Gone already; the first note will find that out.
            Err(error) if is_about_removal(&error) => return Ok(()),
            stat => stat?,
        };
        writeln!(
            out,
            "{did} segment {KERNEL}{}{KERNEL:#}: key {KERNEL}{}{KERNEL:#}, {} bytes, mode {}",
            stat.id, stat.key, stat.size, stat.mode
        )?;
        if self.created {
            let remove = self.command.naming.command("remove");
            writeln!(
                out,
                "{FAINT}it stays in the kernel when this program ends, until `{remove}`{FAINT:#}"
            )?;
        }
        Ok(out.flush()?)
    }

    /// Each line is a note. One that does not fit is refused, and the next ones still count.
    pub fn put_lines(&mut self) -> Result<(), Failure> {
        let mut all_written = true;
        let mut lines = Lines::new(self.writer.size());
        while let Some(line) = lines.next(self.quit)? {
            match self.put_line(&line) {
                Err(Failure::Error(error)) if is_about_the_text(&error) => {
                    warn(&format_args!("line not written: {error}"));
                    all_written = false;
                }
                other => other?,
            }
        }
        if all_written { Ok(()) } else { Err(Failure::Said) }
    }

    fn put_line(&mut self, line: &Line) -> Result<(), Failure> {
        if line.dropped == 0 {
            return self.put(&line.bytes);
        }
        // What was dropped counts: the line is refused by its whole length. In a new segment it
        // might fit, but its end is lost.
        let len = line.bytes.len() + line.dropped;
        self.expect_room(len)?;
        Err(Error::refused("note", Errno::ERANGE, format!("{len} bytes of text"))
            .with_remedy(
                "too long for the segment that was there when the line came; type it again",
            )
            .into())
    }

    fn expect_room(&self, len: usize) -> Result<(), Error> {
        self.writer.expect_room(len).map_err(|error| {
            if self.created && !self.written {
                self.command.larger(&error, len)
            } else {
                self.command.with_command(self.key, error)
            }
        })
    }

    /// Writes one note; into another segment if this one is removed.
    pub fn put(&mut self, text: &[u8]) -> Result<(), Failure> {
        for _ in 0..ROUNDS {
            self.expect_room(text.len())?;
            match self.put_patiently(text) {
                Err(Failure::Error(error)) if is_about_removal(&error) => self.reopen()?,
                other => return other,
            }
        }
        Err(Error::refused("note", Errno::EAGAIN, format!("key {}", self.key))
            .with_remedy("others remove this note all the time; stop them, or use another key")
            .into())
    }

    /// Waits for the lock until it is free or we are asked to quit.
    fn put_patiently(&mut self, text: &[u8]) -> Result<(), Failure> {
        let began = Instant::now();
        let mut silent = true;
        let before = loop {
            self.quit.check()?;
            match self.writer.put(text, Quit::NAP) {
                Err(error) if matches!(error.errno(), Errno::EAGAIN | Errno::EINTR) => {
                    if silent && began.elapsed() > SILENCE {
                        silent = false;
                        let holder = show::process(self.writer.lock().state()?.last_pid);
                        warn(&format_args!(
                            "waiting for the lock: {holder} holds it; Ctrl-C gives up"
                        ));
                    }
                }
                done => break done?,
            }
        };
        self.written = true;
        if before == Before::Abandoned {
            warn(&"the last writer died in the middle of its note; this one has taken its place");
        }
        let mut out = out();
        writeln!(out, "wrote {}", show::count(text.len() as u64, "byte", "bytes"))?;
        Ok(out.flush()?)
    }

    /// Opens or creates another segment in place of one that was removed.
    fn reopen(&mut self) -> Result<(), Failure> {
        let old = self.writer.segment();
        if old.is_removed().unwrap_or(true) {
            warn(&format_args!("segment {} was removed; going on in another one", old.id()));
        } else {
            warn(&format_args!("the semaphores beside segment {} were removed", old.id()));
        }
        self.quit.check()?;
        let opened = open(self.command, self.key)?;
        // The same segment, of which only the lock is new, is still our creation.
        if opened.is_created() {
            (self.created, self.written) = (true, false);
        } else if old.is_removed().unwrap_or(true) {
            (self.created, self.written) = (false, false);
        }
        self.writer = opened.into_inner();
        self.introduce()
    }

    /// Removes what we have created, if nothing was written to it.
    pub fn withdraw(self) {
        let id = self.writer.segment().id();
        // If that fails, somebody else is using it, or has removed it.
        if self.created && !self.written && self.writer.withdraw().unwrap_or(false) {
            warn(&format_args!("nothing was written, so segment {id} was removed again"));
        }
    }
}

fn open(command: &Write, key: Key) -> Result<Opened<NoteWriter>, Error> {
    NoteWriter::open_or_create(key, &command.wanted())
        .map_err(|error| command.with_command(key, error))
}

fn is_about_the_text(error: &Error) -> bool {
    !error.is_from_kernel() && matches!(error.errno(), Errno::ERANGE | Errno::EINVAL)
}

/// Segment or semaphores have gone. The kernel says `EINVAL` for an id that is no more.
fn is_about_removal(error: &Error) -> bool {
    error.errno() == Errno::EIDRM || error.is_from_kernel() && error.errno() == Errno::EINVAL
}
