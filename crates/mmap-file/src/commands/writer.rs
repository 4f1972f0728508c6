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

/// Make each line of standard input the note.
#[derive(Args)]
#[command(
    long_about = "Make each line of standard input the note. A note replaces the one before; \
readers that are following see each that they are fast enough for.\n\nThe file is created with \
mode 0600, one page long, if it is not there. A file that is there is written only if it is a \
note, is empty, or is what the lecture's C programs leave; see --adopt.\n\nA note is in the file \
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
            match fits.map_err(Failure::from).and_then(|()| write(&mut note, &line.bytes, &quit)) {
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
        let adopt = if self.adopt { Adopt::Anything } else { Adopt::Lecture };
        let (note, _found) = patiently(quit, || NoteWriter::open(path, adopt, Quit::NAP))?;
        Ok(note)
    }
}

fn write(note: &mut NoteWriter, text: &[u8], quit: &Quit) -> Result<Before, Failure> {
    patiently(quit, || note.write(text, Quit::NAP))
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
