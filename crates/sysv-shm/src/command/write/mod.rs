//! `sysv-shm write`: the lecture's `shmdemo TEXT`.
//!
//! # Layout
//!
//! `session`: a writer that goes on in a new segment when its own is removed; here: the options,
//! and what to say when they do not fit what is there.

mod session;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use clap::Args;
use ipc_common::cli::{Failure, Quit};
use ipc_common::{Errno, Error, Key};
use sysv_shm::note::Wanted;
use sysv_shm::{Mode, Segment};

use self::session::Session;
use super::naming::Naming;
use super::show;

/// Write a note into the segment, creating it if it is missing
///
/// Attaches the segment (nattch + 1), takes the lock beside it, writes the text and a NUL, and
/// detaches. Several words are one text, with a blank between them. Without TEXT each line of
/// standard input becomes the note, and the segment stays attached until the input ends (Ctrl-D).
/// If the segment is removed meanwhile, the next line goes into a new one.
///
/// A segment that is there is used as it is if it is yours. With --size or --mode it has to be of
/// just that size or mode; and one of another user is used only if you name its size. A segment
/// that this command has created is removed again if it fails before it has written a note.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sysv-shm write hello
  sysv-shm write --size 1000000 --mode 644 hello      others may read
  ls | sysv-shm write --path /etc/hostname --proj D

Exit codes: 0 written, 1 failed (a text that did not fit among them), 2 wrong usage,
128+n ended by signal n (130: Ctrl-C).")]
pub struct Write {
    /// The note, in one word or several; without it, each line of standard input
    text: Vec<OsString>,
    #[command(flatten)]
    naming: Naming,
    /// The segment's size in bytes [default for a new one: 1024, as on the slide]
    #[arg(long, value_name = "BYTES")]
    size: Option<usize>,
    /// The segment's mode, in octal [default for a new one: 600]
    #[arg(long, value_name = "MODE")]
    mode: Option<Mode>,
}

impl Write {
    pub fn run(self) -> Result<(), Failure> {
        let quit = Quit::watch()?;
        let key = self.naming.key()?;
        let text = (!self.text.is_empty()).then(|| self.text.join(" ".as_ref()));
        if let Some(text) = &text {
            self.expect_room(key, text.as_bytes().len())?;
        }
        let mut session = Session::open(&self, key, &quit)?;
        let done = session.introduce().and_then(|()| match &text {
            Some(text) => session.put(text.as_bytes()),
            None => {
                self.explain_lines();
                session.put_lines()
            }
        });
        // A signal is no failure: whoever presses Ctrl-C may want the segment as it is.
        if !matches!(done, Ok(()) | Err(Failure::Signal(_))) {
            session.withdraw();
        }
        done
    }

    fn wanted(&self) -> Wanted {
        Wanted { size: self.size, mode: self.mode }
    }

    /// Before a segment is created for a text that does not fit into it.
    fn expect_room(&self, key: Key, len: usize) -> Result<(), Error> {
        // For size 0 the kernel has its own answer.
        let missing = || Segment::open(key).is_err_and(|error| error.errno() == Errno::ENOENT);
        if self.size != Some(0) && missing() {
            self.wanted().expect_room(len).map_err(|error| self.larger(&error, len))?;
        }
        Ok(())
    }

    /// A text that is too long for a new segment.
    fn larger(&self, error: &Error, len: usize) -> Error {
        let needed = len.saturating_add(1);
        error.clone().with_remedy(format!(
            "with its NUL the text needs {needed} bytes; shorten it, or make the segment larger: --size {needed}"
        ))
    }

    /// What stands in the way is a segment; if it is ours to remove, this is how.
    fn with_command(&self, key: Key, error: Error) -> Error {
        let in_the_way = matches!(
            (error.is_from_kernel(), error.call(), error.errno()),
            (false, "shmget", Errno::EEXIST) | (false, "note", Errno::ERANGE)
        );
        let ours = || Segment::open(key).and_then(Segment::stat).is_ok_and(|stat| stat.is_ours());
        if !in_the_way || !error.remedy().contains("remove") || !ours() {
            return error;
        }
        let (remedy, remove) = (error.remedy().to_owned(), self.naming.command("remove"));
        error.with_remedy(format!("{remedy}; this removes it: {remove}"))
    }

    fn explain_lines(&self) {
        if show::somebody_types() {
            show::aside(&"Type a line: it becomes the note. Ctrl-D ends.");
        }
        let read = self.naming.command("read --follow");
        show::what_to_type("To see the notes, in another terminal:", &read);
    }
}
