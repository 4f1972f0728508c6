//! `write`: the lecture's program, mended, with a look at the page at every step. Slides "sysconf:
//! Creating page-sized memory mapped segments" and "msync".

pub mod look;
mod report;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use ipc_common::cli::Failure;
use ipc_common::{Errno, Error, Result};
use mmap_file::note::Whereabouts;
use page_sync::durable::persist_name;
use page_sync::file::PageFile;
use page_sync::sync::Msync;

use look::{Look, Step};
use report::{Name, Report};

/// The file's name in the state folder.
const OWN: &str = "page";

/// Store a text into a mapped page, msync it, and watch the page turn dirty and clean
///
/// The lecture's program, mended. It makes a file of exactly one page (or takes the one that is
/// there), maps it, stores TEXT and a NUL at its start, and calls msync(2). Before and after each
/// step it asks the kernel what the page is: clean, or dirty, which means that the disk does not
/// have it yet. Where the kernel cannot tell (tmpfs, overlayfs, before Linux 6.5), it says why.
///
/// A file that holds anything but a text and zeros is not written, unless with --adopt.
#[derive(Args)]
#[command(after_help = "\
Examples:
  page-sync write \"This is a test\"            MS_SYNC: clean when it returns
  page-sync write \"This is a test\" --async    MS_ASYNC: as dirty as before
  page-sync write hello --none; sleep 40; page-sync map ~/.local/state/ipc-course/page
  page-sync write hello ${XDG_RUNTIME_DIR:?}/page    on a tmpfs: there is no disk to sync to

Exit codes: 0 done; 1 failed: what was not written stays as it was; 2 wrong usage.")]
pub struct Write {
    /// What to store
    text: OsString,
    /// The file [default: your own, $XDG_STATE_HOME/ipc-course/page or ~/.local/state/…]
    file: Option<PathBuf>,
    /// msync with MS_SYNC: write the page, and wait for the device (the default)
    #[arg(long, conflicts_with_all = ["async", "none"])]
    sync: bool,
    /// msync with MS_ASYNC
    #[arg(long, conflicts_with = "none")]
    r#async: bool,
    /// Do not call msync
    #[arg(long)]
    none: bool,
    /// Add MS_INVALIDATE to the flags; alone: to MS_ASYNC, so that it is seen by itself
    #[arg(long, conflicts_with = "none")]
    invalidate: bool,
    /// Write into the file whatever it holds: its first page is lost. One that is no whole number
    /// of pages is made longer
    #[arg(long)]
    adopt: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Write {
    pub fn run(self) -> std::result::Result<(), Failure> {
        let text = self.text.as_bytes();
        let path = match &self.file {
            Some(path) => path.clone(),
            None => ipc_common::state::folder()?.join(OWN),
        };
        let content = page_with(text)?;
        let (file, created) = self.open(&path)?;
        let report = perform(&file, created, &content, self.how())?;
        let report = Report { path: &path, text, ..report };
        // The last step: unmapped and closed, it is what it was.
        let eye = file.reopen()?;
        drop(file);
        let report = report.and(Step::Closed, look::at(&eye));
        if self.json { report.print_json() } else { report.print() }
    }

    fn how(&self) -> Option<Msync> {
        let how = match (self.none, self.r#async, self.sync) {
            (true, ..) => return None,
            (_, true, _) => Msync::ASYNC,
            (_, _, true) => Msync::SYNC,
            _ if self.invalidate => Msync::ASYNC,
            _ => Msync::SYNC,
        };
        Some(if self.invalidate { how.invalidate() } else { how })
    }

    /// The file, and whether it is new.
    fn open(&self, path: &Path) -> Result<(PageFile, bool)> {
        let opened = if self.adopt { PageFile::adopt(path) } else { PageFile::open(path) };
        let file = match opened {
            Err(error) if error.errno() == Errno::ENOENT => {
                return Ok((PageFile::create_new(path, 1)?, true));
            }
            Err(error) if error.errno() == Errno::EINVAL && !error.is_from_kernel() => {
                let why = "its length is no whole number of pages; --adopt makes it longer, and \
                           writes over its first page";
                return Err(Error::refused("open", Errno::EINVAL, error.about()).with_remedy(why));
            }
            other => other?,
        };
        if !self.adopt && !is_text_and_zeros(&file)? {
            let why = "its first page holds something else than a text and zeros, which would be \
                       lost; name another file, or say --adopt";
            return Err(
                Error::refused("write", Errno::EEXIST, path.display().to_string()).with_remedy(why)
            );
        }
        Ok((file, false))
    }
}

/// A page that begins with the text and is zeros from there on: what was there before shows
/// nowhere.
fn page_with(text: &[u8]) -> Result<Vec<u8>> {
    let mut page = vec![0; ipc_common::PageSize::system().bytes()];
    let room = page.len() - 1;
    if text.len() > room {
        let about = format!("a text of {} bytes", text.len());
        return Err(Error::refused("write", Errno::EMSGSIZE, about)
            .with_remedy(format!("a page has room for {room} bytes and a NUL; shorten it")));
    }
    page[..text.len()].copy_from_slice(text);
    Ok(page)
}

fn is_text_and_zeros(file: &PageFile) -> Result<bool> {
    let page = file.page(0)?;
    let bytes = page.read_vec(0, page.len())?;
    let Some(end) = bytes.iter().position(|byte| *byte == 0) else { return Ok(false) };
    Ok(bytes[end..].iter().all(|byte| *byte == 0))
}

/// Stores and syncs, and looks at every step.
fn perform(
    file: &PageFile,
    created: bool,
    content: &[u8],
    how: Option<Msync>,
) -> Result<Report<'static>> {
    let eye = file.reopen()?;
    let mut looks = vec![Look { step: Step::Before, page: look::at(&eye) }];
    file.page_mut(0)?.write(0, content)?;
    looks.push(Look { step: Step::Stored, page: look::at(&eye) });
    let mut took = None;
    let mut name = Name::Untouched;
    if let Some(how) = how {
        took = Some(synced(file, how)?);
        looks.push(Look { step: Step::Synced(how), page: look::at(&eye) });
        if how.waits() {
            name = named(file, created)?;
        }
    }
    still_there(file)?;
    let (pages, file_system) = (file.pages(), look::file_system(&eye));
    Ok(Report {
        path: Path::new(""),
        text: b"",
        created,
        pages,
        file_system,
        how,
        looks,
        took,
        name,
    })
}

/// The bytes are nothing without the name. Whether that of a file that was there before is on the
/// disk, nobody here knows: it may have been made a moment ago, by `--async`.
fn named(file: &PageFile, created: bool) -> Result<Name> {
    match persist_name(file.path()) {
        Ok(()) => Ok(Name::Synced),
        // One may write a file in a folder that one may not read. It is somebody else's folder.
        Err(error) if !created && error.errno() == Errno::EACCES => Ok(Name::OutOfReach),
        // Perhaps because it has gone, which is the better thing to say.
        Err(error) => still_there(file).and(Err(error)),
    }
}

fn synced(file: &PageFile, how: Msync) -> Result<Duration> {
    let start = Instant::now();
    file.sync(file.pages().bytes_of(0)?, how)?;
    Ok(start.elapsed())
}

/// A mapping follows the file, not its name.
fn still_there(file: &PageFile) -> Result<()> {
    let what = match file.whereabouts()? {
        Whereabouts::Here => return Ok(()),
        Whereabouts::Replaced => "was replaced",
        Whereabouts::Removed => "was removed or renamed",
    };
    Err(Error::refused("write", Errno::ESTALE, file.path().display().to_string()).with_remedy(
        format!("the file {what} meanwhile, so the text is not found by this name; write it again"),
    ))
}
