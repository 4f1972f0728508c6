//! `sysv-shm write`: the lecture's `shmdemo TEXT`.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use clap::Args;
use ipc_common::cli::style::{FAINT, KERNEL};
use ipc_common::cli::{Failure, Lines, Quit, out, warn};
use ipc_common::{Errno, Error};
use sysv_shm::note::{Before, NoteWriter, Wanted};
use sysv_shm::{Mode, Opened};

use super::naming::Naming;
use super::show;

/// When a writer that waits for the lock says for whom it waits.
const SILENCE: Duration = Duration::from_secs(1);

/// Write a note into the segment, creating it if it is missing
///
/// Attaches the segment (nattch + 1), takes the lock beside it, writes the text and a NUL, and
/// detaches. Without TEXT each line of standard input becomes the note, and the segment stays
/// attached until the input ends (Ctrl-D).
///
/// A segment that is there is used as it is if it is yours. With --size or --mode it has to be of
/// just that size or mode; and one of another user is used only if you name its size.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sysv-shm write hello
  sysv-shm write --size 1000000 --mode 644 hello      others may read
  ls | sysv-shm write --path /etc/hostname --proj D

Exit codes: 0 written, 1 failed (a text that did not fit among them), 2 wrong usage.")]
pub struct Write {
    /// The note; without it, each line of standard input
    text: Option<OsString>,
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
        let wanted = Wanted { size: self.size, mode: self.mode };
        let opened = NoteWriter::open_or_create(key, &wanted)?;
        self.introduce(&opened)?;
        let mut writer = opened.into_inner();
        match &self.text {
            Some(text) => put(&mut writer, text.as_bytes(), &quit),
            None => put_lines(&mut writer, &quit),
        }
    }

    fn introduce(&self, opened: &Opened<NoteWriter>) -> Result<(), Failure> {
        let mut out = out();
        let did = if opened.is_created() { "created and attached" } else { "attached" };
        let (Opened::Created(writer) | Opened::Existing(writer)) = opened;
        let stat = writer.segment().stat()?;
        writeln!(
            out,
            "{did} segment {KERNEL}{}{KERNEL:#}: key {KERNEL}{}{KERNEL:#}, {} bytes, mode {}",
            stat.id, stat.key, stat.size, stat.mode
        )?;
        if opened.is_created() {
            let remove = self.naming.command("remove");
            writeln!(
                out,
                "{FAINT}it stays in the kernel when this program ends, until `{remove}`{FAINT:#}"
            )?;
        }
        Ok(out.flush()?)
    }
}

/// Each line is a note. One that does not fit is refused, and the next ones still count.
fn put_lines(writer: &mut NoteWriter, quit: &Quit) -> Result<(), Failure> {
    let mut all_written = true;
    let mut lines = Lines::new(writer.size());
    while let Some(line) = lines.next(quit)? {
        // What was dropped counts: the line is refused by its whole length.
        let fits = writer.expect_room(line.bytes.len() + line.dropped);
        match fits.map_err(Failure::from).and_then(|()| put(writer, &line.bytes, quit)) {
            Err(Failure::Error(error)) if is_about_the_text(&error) => {
                warn(&format_args!("line not written: {error}"));
                all_written = false;
            }
            other => other?,
        }
    }
    if all_written { Ok(()) } else { Err(Failure::Said) }
}

fn is_about_the_text(error: &Error) -> bool {
    !error.is_from_kernel() && matches!(error.errno(), Errno::ERANGE | Errno::EINVAL)
}

/// Writes one note, waiting for the lock until it is free or we are asked to quit.
fn put(writer: &mut NoteWriter, text: &[u8], quit: &Quit) -> Result<(), Failure> {
    let began = Instant::now();
    let mut silent = true;
    let before = loop {
        quit.check()?;
        match writer.put(text, Quit::NAP) {
            Err(error) if matches!(error.errno(), Errno::EAGAIN | Errno::EINTR) => {
                if silent && began.elapsed() > SILENCE {
                    silent = false;
                    let holder = show::process(writer.lock().state()?.last_pid);
                    warn(&format_args!("waiting for the lock: {holder} holds it; Ctrl-C gives up"));
                }
            }
            done => break done?,
        }
    };
    if before == Before::Abandoned {
        warn(&"the last writer died in the middle of its note; this one has taken its place");
    }
    let mut out = out();
    writeln!(out, "wrote {}", show::count(text.len() as u64, "byte", "bytes"))?;
    Ok(out.flush()?)
}
