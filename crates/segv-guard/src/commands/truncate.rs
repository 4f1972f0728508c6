//! `truncate`: a file cut shorter under a mapping. Slide "Illegal Memory Access".

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, Write, stdin};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use clap::Args;
use ipc_common::cli::style::{KERNEL, READER, WRITER};
use ipc_common::cli::{Actor, Failure, Narrator, Quit, ending, out, watching};
use ipc_common::view::ReadView;
use ipc_common::{Error, PageSize, Result};
use nix::sys::mman::ProtFlags;
use nix::sys::resource::Resource;
use nix::unistd::mkdtemp;
use segv_guard::explain::Scene;

use super::sys;

/// How long the file is, and how long it is after the cut, in half pages.
const BEFORE: usize = 8;
const AFTER: usize = 3;

/// Cut a file under two readers: the plain one dies, ours returns an error
///
/// Two real processes map the same file of four pages. Then the file is truncated to a page and a
/// half, as another program may do at any moment. Both read all of it. The plain reader touches a
/// page that is gone and is killed by SIGBUS. The other one reads with the same instructions, but
/// with a net below them, and gets an error that says how many bytes are good.
///
/// No check of the length before reading can do that: the file may be cut between the check and the
/// read.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 128+n ended by signal n.")]
pub struct Truncate {}

impl Truncate {
    pub fn run(self) -> std::result::Result<(), Failure> {
        watching(|quit| self.tell(quit, &Narrator::new(quit)))
    }

    /// For the demo, too.
    pub fn tell(self, quit: &Quit, tell: &Narrator<'_>) -> std::result::Result<(), Failure> {
        let half = PageSize::system().bytes() / 2;
        let stage = Stage::build()?;
        let path = stage.0.join("notes.dat");
        let file = create(&path, BEFORE * half)?;

        tell.act("A file, and two processes that map it")?;
        tell.say(format_args!("file            {}, {} bytes", path.display(), BEFORE * half))?;
        let words = |plain: bool| {
            let flags = if plain { ["--plain"].as_slice() } else { &[] };
            let words = ["truncate-reader".as_ref(), path.as_os_str()].into_iter();
            words.chain(flags.iter().map(AsRef::as_ref))
        };
        let mut plain = Actor::start("plain reader", words(true))?;
        let mut guarded = Actor::start("guarded reader", words(false))?;
        for (style, reader) in [(WRITER, &mut plain), (READER, &mut guarded)] {
            let name = reader.name();
            let mapped = reader.line(quit)?;
            tell.say(format_args!(
                "{style}{name:<15}{style:#} process {}: {mapped}",
                reader.pid()
            ))?;
        }

        tell.act("Somebody truncates it")?;
        file.set_len((AFTER * half) as u64).map_err(|error| failed("ftruncate", &error, &path))?;
        let len = file.metadata().map_err(|error| failed("fstat", &error, &path))?.len();
        tell.say(format_args!(
            "file            {len} bytes; both still have {} mapped",
            BEFORE * half
        ))?;

        tell.act("Both read all that they have mapped")?;
        plain.tell("read", quit)?;
        let end = ending(plain.finish()?);
        tell.say(format_args!("{WRITER}plain reader{WRITER:#}    {KERNEL}{end}{KERNEL:#}"))?;
        guarded.tell("read", quit)?;
        // The error, the sentence, and the zeros.
        for _ in 0..3 {
            let line = guarded.line(quit)?;
            tell.say(format_args!("{READER}guarded reader{READER:#}  {line}"))?;
        }
        let end = ending(guarded.finish()?);
        tell.say(format_args!("{READER}guarded reader{READER:#}  {KERNEL}{end}{KERNEL:#}"))?;
        tell.say("\"good\" means: in a page that is left, also behind the end of the file")
    }
}

/// Maps a file, waits for a line, and reads all of it
#[derive(Args)]
pub struct TruncateReader {
    file: PathBuf,
    #[arg(long)]
    plain: bool,
}

impl TruncateReader {
    pub fn run(self) -> std::result::Result<(), Failure> {
        let failed = |error: std::io::Error| failed("open", &error, &self.file);
        let file = File::open(&self.file).map_err(failed)?;
        let pages = BEFORE / 2;
        let at = sys::map_file(&file, pages, ProtFlags::PROT_READ)?;
        let len = sys::page(0, pages);
        let start = NonNull::new(std::ptr::with_exposed_provenance_mut(at));
        let start = start.unwrap_or(NonNull::dangling());
        // SAFETY: the mapping stays until the process ends, and nothing but this view looks at it.
        let view = unsafe { ReadView::new(start, len) };
        let before = Scene::of_this_process()?;
        let mut bytes = vec![0; len];
        say(&format!("{len} bytes at {at:#x}"))?;
        // Without a parent there is nothing to wait for.
        let _ = stdin().lock().read_line(&mut String::new());
        if self.plain {
            sys::limit(Resource::RLIMIT_CORE, 0)?;
            view.read(0, &mut bytes)?;
            return say(&format!("read {len} bytes"));
        }
        let guard = segv_guard::install()?;
        match guard.copy_out(view, &mut bytes) {
            Ok(count) => say(&format!("read {count} bytes")),
            Err(cut) => {
                say(&format!("Err: {} of {len} bytes are good", cut.good))?;
                let now = Scene::of_this_process()?.since(&before);
                say(&now.explain(&cut.fault).to_string())?;
                let zeros = bytes[..cut.good].iter().rev().take_while(|byte| **byte == 0).count();
                say(&format!("the last {zeros} of the good ones are zeros, never in the file"))
            }
        }
    }
}

/// A folder for one performance, removed with all that is in it.
struct Stage(PathBuf);

impl Stage {
    fn build() -> Result<Stage> {
        let template = std::env::temp_dir().join("segv-guard-XXXXXX");
        mkdtemp(&template)
            .map(Stage)
            .map_err(|errno| Error::new("mkdtemp", errno, template.display().to_string()))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A file of so many bytes, none of them zero.
fn create(path: &Path, len: usize) -> Result<File> {
    let options = OpenOptions::new().write(true).create_new(true).clone();
    let file = options.open(path).map_err(|error| failed("open", &error, path))?;
    file.write_all_at(&vec![b'x'; len], 0).map_err(|error| failed("write", &error, path))?;
    Ok(file)
}

fn failed(call: &'static str, error: &std::io::Error, path: &Path) -> Error {
    Error::from_io(call, error, path.display().to_string())
}

fn say(line: &str) -> std::result::Result<(), Failure> {
    let mut out = out();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
