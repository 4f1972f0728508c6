//! `reader`: prints the note, and each change. Slide "Example 2 … Reader".

use std::io::{IsTerminal, stderr, stdout};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use ipc_common::Errno;
use ipc_common::cli::{Failure, Printer, Quit, warn};
use ipc_common::note::Reading;
use mmap_file::note::{NoteReader, Whereabouts};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{command_line, hint, note_path};

/// How soon a reader notices that the file has come.
const GLANCE: Duration = Duration::from_millis(50);

/// Print the note, and each change as it happens.
#[derive(Args)]
#[command(
    long_about = "Print the note at once, and then each change as it happens. Between changes it \
sleeps (futex): a writer of ours wakes it. Foreign programs that store into the mapping wake \
nobody, so it also looks five times a second.\n\nWith --every it prints the note each period, \
changed or not, as the lecture's reader does.\n\nIt never changes the file, and waits for a file \
that is not there yet. If somebody cuts the file shorter, it says so and waits until a writer has \
made it a note again. Bytes that are no UTF-8 or would drive the terminal are shown as \\xNN. A \
note is not a queue: of notes that come faster than they can be printed some are skipped; what is \
printed is always one whole note.",
    after_help = "Examples:\n  mmap-file reader\n  mmap-file reader --every 1s /tmp/$USER.note\n  \
mmap-file reader --count 1 --json    the note as JSON, once\n\n\
Exit codes: 0 done, 1 failed, 2 wrong usage, 128 + n ended by signal n."
)]
pub struct Reader {
    /// The file with the note [default: your own]
    file: Option<PathBuf>,
    /// Print the note each period (such as 1s or 200ms), changed or not
    #[arg(long, value_name = "PERIOD", value_parser = period)]
    every: Option<Duration>,
    /// End after this many notes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// One JSON object a line: note, bytes, utf8, terminated, sequence
    #[arg(long)]
    json: bool,
}

/// A period without length would be a loop without rest.
fn period(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(period) if period >= Duration::from_millis(1) => Ok(period),
        Ok(_) => Err("a period is 1ms or longer".into()),
        Err(error) => Err(format!("{error}; write 1s, 200ms or 1m")),
    }
}

impl Reader {
    pub fn run(self) -> Result<(), Failure> {
        let path = note_path(&self.file)?;
        let quit = Quit::watch()?;
        let mut printer = Printer::new(self.json);
        let (mut hinted, mut warned) = (false, false);
        let Some(mut note) = self.wait_for(&path, &quit, &mut hinted)? else { return Ok(()) };
        loop {
            quit.check()?;
            match note.read() {
                Ok(found) => {
                    warned &= found == Reading::Busy;
                    if is_unwritten(&found) && printer.printed() == 0 {
                        self.hint_once(&mut hinted);
                    }
                    self.show(found, &mut printer)?;
                }
                // It was cut. A writer can mend that.
                Err(error) if error.errno() == Errno::EBADMSG => {
                    if !warned {
                        warn(&format_args!("{error}; waiting for that"));
                    }
                    warned = true;
                }
                Err(error) => return Err(error.into()),
            }
            let enough = self.count.is_some_and(|count| printer.printed() >= count);
            if enough || nobody_listens() {
                return Ok(());
            }
            match self.every {
                None => note.wait(Quit::NAP)?,
                Some(period) => rest(period, &quit)?,
            }
            let what = match note.whereabouts()? {
                Whereabouts::Here => continue,
                Whereabouts::Replaced => "was replaced; reading the new one",
                Whereabouts::Removed => "was removed; waiting for a new one",
            };
            warn(&format_args!("{} {what}", path.display()));
            match self.wait_for(&path, &quit, &mut hinted)? {
                Some(new) => note = new,
                None => return Ok(()),
            }
        }
    }

    fn show(&self, found: Reading, printer: &mut Printer) -> Result<(), Failure> {
        if self.every.is_none() || !matches!(found, Reading::Whole { .. }) {
            return printer.show_change(found);
        }
        if is_unwritten(&found) { Ok(()) } else { printer.show(&found) }
    }

    /// Opens the file, or waits until it is there. `None`: nobody listens any more.
    fn wait_for(
        &self,
        path: &Path,
        quit: &Quit,
        hinted: &mut bool,
    ) -> Result<Option<NoteReader>, Failure> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        loop {
            match NoteReader::open(path) {
                // Without the folder it can hardly come: that is a mistake in the path.
                Err(error) if error.errno() == Errno::ENOENT && folder.is_none_or(Path::is_dir) => {
                }
                other => return Ok(Some(other?)),
            }
            self.hint_once(hinted);
            quit.check()?;
            if nobody_listens() {
                return Ok(None);
            }
            sleep(GLANCE);
        }
    }

    fn hint_once(&self, hinted: &mut bool) {
        // Both: in the demo, standard output is a pipe, and there nobody is to type anything.
        if !*hinted && stdout().is_terminal() && stderr().is_terminal() {
            hint(
                &"No note yet. To write one, in another terminal:",
                &command_line("writer", &self.file),
            );
        }
        *hinted = true;
    }
}

/// Whether nobody has written a note yet.
fn is_unwritten(found: &Reading) -> bool {
    matches!(found, Reading::Whole { text, sequence: 0 } if text.is_empty())
}

/// Sleeps for a period, in naps, so that a Ctrl-C need not wait for its end.
fn rest(period: Duration, quit: &Quit) -> Result<(), Failure> {
    let start = Instant::now();
    loop {
        quit.check()?;
        match period.checked_sub(start.elapsed()) {
            Some(left) if !left.is_zero() => sleep(left.min(Quit::NAP)),
            _ => return Ok(()),
        }
    }
}

/// Whether standard output is a pipe that nobody reads any more. Without this look, `reader | head
/// -1` would hang until the next note.
fn nobody_listens() -> bool {
    let stdout = stdout();
    let mut asked = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    let answer = poll(&mut asked, PollTimeout::ZERO);
    let gone = PollFlags::POLLERR | PollFlags::POLLNVAL;
    answer.is_ok_and(|count| count > 0)
        && asked[0].revents().is_some_and(|events| events.intersects(gone))
}
