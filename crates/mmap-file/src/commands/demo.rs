//! `demo`: writer and reader as two real processes, seen from outside. Slide "Run demo".

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use ipc_common::cli::style::{FAINT, KERNEL, READER, STRONG, WRITER};
use ipc_common::cli::{Actor, Failure, Narrator, Quit, outlive_parent, watching};
use ipc_common::{Errno, Error};
use mmap_file::maps::{self, Listed};
use mmap_file::{Access, MapOptions, open_file};
use nix::sys::signal::Signal;
use nix::unistd::mkdtemp;

use super::command_line;

/// How long an actor may take to map the file before the demo says that something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);

const NOTES: [&str; 3] = [
    "hello from the writer",
    "I stored this into memory; no write(2), no pipe",
    "you will still find this one when I am gone",
];

/// Watch a writer and a reader, two real processes, meet in one file.
#[derive(Args)]
#[command(
    long_about = "Start a writer and a reader as two real processes on a fresh file, and watch \
them: where each has the file in its memory, how long a note takes, and what is left after kill -9 \
of both. Every number is read or measured as it is printed. The file is removed at the end, also \
after Ctrl-C.",
    after_help = "Exit codes: 0 done, 1 failed, 128 + n ended by signal n."
)]
pub struct Demo {}

impl Demo {
    pub fn run(self) -> Result<(), Failure> {
        watching(|quit| self.tell(quit, &Narrator::new(quit)))
    }

    fn tell(self, quit: &Quit, tell: &Narrator<'_>) -> Result<(), Failure> {
        let stage = Stage::build(quit)?;
        let note = stage.folder.join("note");
        let mut writer = Actor::start("writer", [Path::new("writer"), &note])?;
        let mut reader = Actor::start("reader", [Path::new("reader"), &note])?;
        tell.act("Two processes, one file")?;
        tell.say(format_args!("file     {}", note.display()))?;
        tell.say(format_args!(
            "{WRITER}writer{WRITER:#}   process {}: mmap-file writer",
            writer.pid()
        ))?;
        tell.say(format_args!(
            "{READER}reader{READER:#}   process {}: mmap-file reader",
            reader.pid()
        ))?;

        tell.act("The same page, at two addresses")?;
        for (style, actor) in [(WRITER, &mut writer), (READER, &mut reader)] {
            let mapped = where_mapped(actor, &note, quit)?;
            tell.say(format_args!(
                "{style}{}{style:#}   {KERNEL}{mapped}{KERNEL:#}",
                actor.name()
            ))?;
        }
        let inode = fs::metadata(&note).map_err(|e| failed("stat", &e, &note))?.ino();
        tell.say(format_args!(
            "both show inode {inode}: what one stores, the other loads; nothing is copied"
        ))?;

        tell.act("A line goes to the writer; the reader prints it")?;
        for text in NOTES {
            tell.pause()?;
            let start = Instant::now();
            writer.tell(text, quit)?;
            let heard = reader.line(quit)?;
            let took = start.elapsed().as_micros();
            tell.say(format_args!("{WRITER}writer{WRITER:#} ← {text}"))?;
            tell.say(format_args!(
                "{READER}reader{READER:#} → {heard}   {KERNEL}{took} µs{KERNEL:#}"
            ))?;
        }
        tell.say(format_args!(
            "{FAINT}(from our pipe to the writer to the pipe from the reader){FAINT:#}"
        ))?;

        tell.act("kill -9 of both")?;
        for (style, actor) in [(WRITER, &mut writer), (READER, &mut reader)] {
            let status = actor.end_by(Signal::SIGKILL)?;
            tell.say(format_args!(
                "{style}{}{style:#}   process {}: {status}",
                actor.name(),
                actor.pid()
            ))?;
        }
        let bytes = fs::read(&note).map_err(|e| failed("read", &e, &note))?;
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        tell.say(format_args!(
            "file     {} bytes; read(2) finds {KERNEL}\"{text}\"{KERNEL:#}",
            bytes.len()
        ))?;

        tell.act("A reader that was not there at the time")?;
        let mut late = Actor::start("reader", ["reader", "--count", "1", &note.to_string_lossy()])?;
        let heard = late.line(quit)?;
        tell.say(format_args!(
            "{READER}reader{READER:#} → {heard}   {FAINT}(process {}){FAINT:#}",
            late.pid()
        ))?;
        late.finish()?;
        drop(stage);
        let typed = |command| format!("{STRONG}{}{STRONG:#}", command_line(command, &None));
        tell.blank()?;
        tell.say(format_args!(
            "Now you, in two terminals:   {}   and   {}",
            typed("reader"),
            typed("writer")
        ))?;
        Ok(())
    }
}

/// A folder for one performance, removed with all that is in it: by `Drop`, also after Ctrl-C and
/// every failure; after kill -9, by a child that waits for our end.
struct Stage {
    folder: PathBuf,
    _clean_up: Actor,
}

impl Stage {
    fn build(quit: &Quit) -> Result<Stage, Failure> {
        let template = std::env::temp_dir().join("mmap-file-demo-XXXXXX");
        let folder = mkdtemp(&template)
            .map_err(|errno| Error::new("mkdtemp", errno, template.display().to_string()))?;
        let clean_up = Actor::start("cleaner", [Path::new("demo-clean-up"), &folder])
            .and_then(|mut actor| actor.line(quit).map(|_ready| actor));
        match clean_up {
            Ok(_clean_up) => Ok(Stage { folder, _clean_up }),
            Err(failure) => {
                let _ = fs::remove_dir(&folder);
                Err(failure)
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Waits for the demo to end, then removes what it has left.
#[derive(Args)]
pub struct CleanUp {
    folder: PathBuf,
}

impl CleanUp {
    pub fn run(self) -> Result<(), Failure> {
        outlive_parent()?;
        // Just what a demo makes, should somebody call this by hand: a file `note`, and its folder
        // if it is then empty.
        let _ = fs::remove_file(self.folder.join("note"));
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }
}

/// Where a process has the file mapped, in its own words: /proc/PID/maps. Waits until it has.
fn where_mapped(actor: &mut Actor, path: &Path, quit: &Quit) -> Result<String, Failure> {
    let pid = actor.pid();
    let until = Instant::now() + PATIENCE;
    loop {
        quit.check()?;
        if let Some(listed) = look_up(pid, path)? {
            let (start, end, sharing) = (listed.start, listed.end, listed.sharing);
            return Ok(format!("{start:#x}-{end:#x}  {:<10}  {sharing}", listed.protection()));
        }
        if let Some(status) = actor.ended()? {
            quit.check()?;
            let about = format!("the {}, process {pid}", actor.name());
            return Err(Failure::Error(
                Error::refused("demo", Errno::ESRCH, about)
                    .with_remedy(format!("it ended early ({status}); what it said is above")),
            ));
        }
        if Instant::now() > until {
            let about = format!("process {pid}, {}", path.display());
            return Err(Failure::Error(
                Error::refused("maps", Errno::ETIMEDOUT, about).with_remedy(
                    "it should have the note mapped by now; run its command by hand to see why not",
                ),
            ));
        }
        sleep(Duration::from_millis(2));
    }
}

fn look_up(pid: u32, path: &Path) -> Result<Option<Listed>, Error> {
    if !path.exists() {
        return Ok(None);
    }
    let ours = maps::listing_of(&MapOptions::new().map(open_file(path, Access::Read)?)?)?;
    Ok(maps::of(pid)?.into_iter().find(|listed| listed.same_file(&ours)))
}

fn failed(call: &'static str, error: &std::io::Error, path: &Path) -> Error {
    Error::from_io(call, error, path.display().to_string())
}
