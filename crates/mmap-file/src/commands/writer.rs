//! `writer`: each line of standard input becomes the note. Slide "Example 2 … Writer".

use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};

use clap::Args;
use ipc_common::cli::{Failure, Lines, Quit, warn};
use ipc_common::note::Before;
use ipc_common::{Errno, Error};
use mmap_file::note::{Adopt, LONGEST_FILE, NoteWriter, Whereabouts};

use super::{command_line, complain, hint, note_path};

/// How many naps to wait for the lock before saying what we wait for.
const SILENT_NAPS: u32 = 5;

/// How often a file is made a note again for one line. Whoever cuts it faster than that does it on
/// purpose, and should be found.
const ROUNDS: u32 = 100;

/// Make each line of standard input the note.
#[derive(Args)]
#[command(
    long_about = "Make each line of standard input the note. A note replaces the one before; \
readers that are following see each that they are fast enough for.\n\nThe file is created with \
mode 0600, one page long, if it is not there. A file that is there is written only if it is a \
note, is empty, or is what the lecture's C programs leave; see --adopt. If somebody cuts the file \
shorter while the writer is at it, the next line makes it a note again.\n\nA note is in the file \
as soon as it is written: it survives kill -9 of everyone, and an orderly reboot. At the end of \
the input the writer waits until the note is on the disk as well (msync), so that it survives a \
power cut. For a file that was only just created, its *name* may still be lost then.",
    after_help = "Examples:\n  mmap-file writer                 type lines; Ctrl-D ends\n  \
echo hello | mmap-file writer\n  date | mmap-file writer /tmp/$USER.note\n\n\
Exit codes: 0 done; 1 failed, or a line was refused (too long, or with a NUL): the note then \
stayed as it was and later lines went on; 2 wrong usage; 128 + n ended by signal n."
)]
pub struct Writer {
    /// The file with the note [default: your own]
    file: Option<PathBuf>,
    /// Write into the file even if it is no note: its beginning and its last 64 bytes are lost
    #[arg(long)]
    adopt: bool,
}

impl Writer {
    pub fn run(self) -> Result<(), Failure> {
        let path = note_path(&self.file)?;
        let quit = Quit::watch()?;
        let mut note = self.open(&path, &quit)?;
        if stdin().is_terminal() {
            let at = path.display();
            hint(&format_args!("Type a line: it becomes the note in {at}. Ctrl-D ends."), "");
            hint(&"To see the notes, in another terminal:", &command_line("reader", &self.file));
        }
        let mut lines = Lines::new(LONGEST_FILE);
        let mut refused = false;
        while let Some(line) = lines.next(&quit)? {
            let moved = match note.whereabouts()? {
                Whereabouts::Here => None,
                Whereabouts::Replaced => Some("was replaced; writing to the new one"),
                Whereabouts::Removed => Some("was removed; writing to a new one"),
            };
            if let Some(what) = moved {
                warn(&format_args!("{} {what}", path.display()));
                note = self.open(&path, &quit)?;
            }
            let fits = note.check_length(line.bytes.len() + line.dropped);
            let written = fits.map_err(Failure::from);
            match written.and_then(|()| self.write(&mut note, &path, &line.bytes, &quit)) {
                Ok(Before::Whole) => {}
                Ok(Before::Abandoned) => warn(
                    &"recovered: the last writer died in the middle of its note; this one took its place",
                ),
                Err(Failure::Error(error)) if is_about_the_line(&error) => {
                    complain(&error);
                    refused = true;
                }
                Err(other) => return Err(other),
            }
        }
        note.flush()?;
        if refused { Err(Failure::Said) } else { Ok(()) }
    }

    fn open(&self, path: &Path, quit: &Quit) -> Result<NoteWriter, Failure> {
        let open = || NoteWriter::open(path, self.may_adopt(), Quit::NAP);
        Ok(patiently(quit, open)?.0)
    }

    /// Writes the line; and makes the file a note again if somebody has cut it.
    fn write(
        &self,
        note: &mut NoteWriter,
        path: &Path,
        text: &[u8],
        quit: &Quit,
    ) -> Result<Before, Failure> {
        let mut rounds = 0;
        loop {
            match patiently(quit, || note.write(text, Quit::NAP)) {
                Err(Failure::Error(error))
                    if error.errno() == Errno::EBADMSG && rounds < ROUNDS =>
                {
                    if rounds == 0 {
                        warn(&format_args!(
                            "{}: somebody cut the file shorter, or wrote over its end; making it a \
                             note again",
                            path.display()
                        ));
                    }
                }
                // The renewed note is as if its writer had died, but that has been said better.
                Ok(_) if rounds > 0 => return Ok(Before::Whole),
                other => return other,
            }
            rounds += 1;
            quit.check()?;
            patiently(quit, || note.renew(self.may_adopt(), Quit::NAP))?;
        }
    }

    fn may_adopt(&self) -> Adopt {
        if self.adopt { Adopt::Anything } else { Adopt::Lecture }
    }
}

/// Tries again for as long as another writer has the lock, unless we are asked to end.
fn patiently<T>(
    quit: &Quit,
    mut attempt: impl FnMut() -> ipc_common::Result<T>,
) -> Result<T, Failure> {
    let mut naps = 0;
    loop {
        match attempt() {
            Err(error) if error.errno() == Errno::EAGAIN => {
                quit.check()?;
                naps += 1;
                if naps == SILENT_NAPS {
                    warn(&format_args!("still waiting: {error}"));
                }
            }
            other => return Ok(other?),
        }
    }
}

fn is_about_the_line(error: &Error) -> bool {
    !error.is_from_kernel() && matches!(error.errno(), Errno::EMSGSIZE | Errno::EINVAL)
}
