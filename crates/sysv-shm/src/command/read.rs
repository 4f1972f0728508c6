//! `sysv-shm read`: the lecture's `shmdemo` without a text, but attached read-only.

use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use ipc_common::cli::{Failure, Printer, Quit};
use ipc_common::{Errno, Error, Key};
use sysv_shm::note::{NoteReader, Reading};

use super::naming::Naming;
use super::show;

/// How often a follower looks for notes of foreign writers, who wake nobody, and for a new segment.
const LOOK: Duration = Duration::from_millis(100);
/// How long a single reading waits for a writer in the middle of its note.
const PATIENCE: Duration = Duration::from_secs(2);

/// Print the note in the segment
///
/// Attaches read-only (SHM_RDONLY), so read permission is enough, copies the note out, and prints
/// it on one line: what is no UTF-8, and what would drive the terminal, appears as \xNN or \n.
///
/// With --follow it stays attached and prints each note as it is written, also one that is equal to
/// the last; it waits for the segment if there is none yet. When the segment is removed it detaches
/// (the last one to do so deletes it) and waits for a new one. It never prints half a note: if a
/// writer died in the middle, it says that instead.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sysv-shm read
  sysv-shm read --follow --json | head -n 3

Exit codes: 0 printed, 1 failed (no segment, no permission, a note whose writer died),
2 wrong usage, 128+n ended by signal n (130: Ctrl-C).")]
pub struct Read {
    #[command(flatten)]
    naming: Naming,
    /// Stay, and print each note as it is written
    #[arg(long, short)]
    follow: bool,
    /// With --follow: end after so many notes
    #[arg(long, value_name = "N", requires = "follow", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Print JSON, one object a note
    #[arg(long)]
    json: bool,
}

impl Read {
    pub fn run(self) -> Result<(), Failure> {
        let quit = Quit::watch()?;
        let key = self.naming.key()?;
        if self.follow { self.follow(key, &quit) } else { self.once(key, &quit) }
    }

    fn once(&self, key: Key, quit: &Quit) -> Result<(), Failure> {
        let mut reader = NoteReader::open(key).map_err(|error| self.with_hint(error))?;
        let began = Instant::now();
        loop {
            let found = reader.read()?;
            match &found {
                Reading::Busy if began.elapsed() > PATIENCE => return Err(busy(&reader)),
                Reading::Busy => {
                    quit.check()?;
                    thread::sleep(Duration::from_millis(1));
                }
                Reading::Abandoned => {
                    Printer::new(self.json).show(&found)?;
                    return Err(Failure::Said);
                }
                Reading::Whole { text, .. } => {
                    if text.is_empty() && !self.json {
                        show::what_to_type("the note is empty; write one:", &self.write_command());
                    }
                    return Printer::new(self.json).show(&found);
                }
            }
        }
    }

    fn follow(&self, key: Key, quit: &Quit) -> Result<(), Failure> {
        let mut left = self.count;
        loop {
            let mut reader = self.wait_for_segment(key, quit)?;
            if !self.follow_segment(&mut reader, &mut left, quit)? {
                return Ok(());
            }
            let id = reader.segment().id();
            reader.detach()?;
            show::aside(&format_args!(
                "segment {id} was removed; detached from it, waiting for a new one"
            ));
        }
    }

    /// Follows one segment. Returns whether it was removed; otherwise all notes have been printed.
    fn follow_segment(
        &self,
        reader: &mut NoteReader,
        left: &mut Option<u64>,
        quit: &Quit,
    ) -> Result<bool, Failure> {
        // A new one for each segment: the first note of a new segment is news, even if it says what
        // the first one in the old segment said.
        let mut printer = Printer::new(self.json);
        let mut told = false;
        loop {
            quit.check()?;
            let found = match reader.read() {
                Err(error) if error.errno() == Errno::EIDRM => return Ok(true),
                found => found?,
            };
            let empty = found.text().is_some_and(|text| text.is_empty());
            if empty && printer.printed() == 0 && !told {
                told = true;
                show::what_to_type("no note yet; in another terminal:", &self.write_command());
            }
            let before = printer.printed();
            printer.show_change(found)?;
            if let Some(left) = left {
                *left -= printer.printed() - before;
                if *left == 0 {
                    return Ok(false);
                }
            }
            if reader.is_removed()? {
                return Ok(true);
            }
            reader.wait(LOOK)?;
        }
    }

    fn wait_for_segment(&self, key: Key, quit: &Quit) -> Result<NoteReader, Failure> {
        let mut told = false;
        loop {
            match NoteReader::open(key) {
                Ok(reader) => return Ok(reader),
                // Not there, or gone between shmget and shmat.
                Err(error)
                    if error.is_from_kernel()
                        && matches!(
                            error.errno(),
                            Errno::ENOENT | Errno::EINVAL | Errno::EIDRM
                        ) => {}
                Err(error) => return Err(error.into()),
            }
            if !told {
                told = true;
                let missing = format!("no segment with key {key} yet; in another terminal:");
                show::what_to_type(&missing, &self.write_command());
            }
            quit.check()?;
            thread::sleep(LOOK);
        }
    }

    fn write_command(&self) -> String {
        self.naming.command("write hello")
    }

    fn with_hint(&self, error: Error) -> Error {
        if error.errno() != Errno::ENOENT || error.call() != "shmget" {
            return error;
        }
        let write = self.write_command();
        error.with_remedy(format!("nobody has written a note here yet; write one: {write}"))
    }
}

fn busy(reader: &NoteReader) -> Failure {
    let holder = reader.lock().and_then(|lock| lock.state().ok()).map_or(0, |state| state.last_pid);
    let about = format!("segment {}", reader.segment().id());
    let waited = PATIENCE.as_secs();
    Failure::Error(Error::refused("read", Errno::EBUSY, about).with_remedy(format!(
        "writers were in the middle of a note for {waited} s (the last one: {}); try again",
        show::process(holder)
    )))
}
