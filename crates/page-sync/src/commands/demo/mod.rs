//! `demo`: the story in one go, by real processes. Slides "sysconf" to "msync".

mod actors;
mod stage;

pub use actors::{Replacer, Writer};
pub use stage::CleanUp;

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use clap::Args;
use ipc_common::cli::style::{FAINT, KERNEL, STRONG, WRITER};
use ipc_common::cli::{Actor, Failure, Narrator, Quit, shown, watching};
use ipc_common::{Error, PageSize};
use nix::sys::signal::Signal;
use page_sync::durable::persist_name;
use page_sync::file::PageFile;

use super::own;
use super::write::look;
use actors::{HOW, is_whole};
use stage::Stage;

/// How often the file is read while it is replaced.
const LOOKS: usize = 1000;

/// The story in a few seconds: who sees a store, what kill -9 takes, what msync does
///
/// A file of exactly one page; a writer, a real process of its own, that stores into it; kill -9;
/// msync with MS_ASYNC and with MS_SYNC; and a whole file replaced, in place and by rename, while
/// it is read all the time. Everything is read from the kernel, or measured, as it is printed. No
/// root. The files are removed at the end, also after Ctrl-C.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 128+n ended by signal n.")]
pub struct Demo {}

impl Demo {
    pub fn run(self) -> Result<(), Failure> {
        watching(|quit| {
            let tell = Narrator::new(quit);
            let stage = Stage::build(quit)?;
            tell.say(format_args!(
                "{FAINT}in {}, on {}{FAINT:#}",
                shown(&stage.folder),
                stage.on()
            ))?;
            whole_pages(&tell, &stage)?;
            let page = stage.folder.join(stage::PAGE);
            stored_and_killed(&tell, quit, &page)?;
            synced(&tell, quit, &page)?;
            replaced(&tell, quit, &stage.folder.join(stage::WHOLE))?;
            drop(stage);
            tell.blank()?;
            tell.say("What a power cut takes, this has not shown: only a disk can. As root:")?;
            tell.say(format_args!("{STRONG}{}{STRONG:#}", own("power-cut")))?;
            tell.say(format_args!("Now you: {STRONG}{}{STRONG:#}", own("write \"This is a test\"")))
        })
    }
}

fn whole_pages(tell: &Narrator<'_>, stage: &Stage) -> Result<(), Failure> {
    tell.act("1. A file of exactly one page")?;
    let page = PageSize::system();
    let lecture = stage.folder.join(stage::LECTURE);
    let found = as_the_lecture(&lecture, page)
        .map_err(|error| Error::from_io("write", &error, lecture.display().to_string()))?;
    tell.say(format_args!(
        "the lecture's: {KERNEL}{} bytes, {} pages{KERNEL:#}; on the disk {}, the rest is a hole",
        found.len(),
        page.pages(found.len() as usize),
        found.blocks() * 512
    ))?;
    let path = stage.folder.join(stage::PAGE);
    let file = PageFile::create_new(&path, 1)?;
    let blocks = fs::metadata(&path).map_or(0, |found| found.blocks() * 512);
    tell.say(format_args!(
        "ours:          {KERNEL}{} bytes, 1 page{KERNEL:#}; on the disk {blocks}, before anybody stores",
        file.pages().bytes()
    ))?;
    persist_name(&path)?;
    tell.say("it is new, so its folder is synced: now its name is on the disk, too")
}

/// The slide's way to a "page-sized" file.
fn as_the_lecture(path: &Path, page: PageSize) -> std::io::Result<fs::Metadata> {
    let mut file = File::create_new(path)?;
    file.seek(SeekFrom::Start(page.bytes() as u64))?;
    file.write_all(b"x")?;
    file.metadata()
}

fn stored_and_killed(tell: &Narrator<'_>, quit: &Quit, path: &Path) -> Result<(), Failure> {
    tell.blank()?;
    tell.act("2. A store: everybody sees it, and the disk does not")?;
    let mut writer = start_writer(tell, quit, path)?;
    writer.tell("store This is a test", quit)?;
    says(tell, &mut writer, quit)?;
    let eye = PageFile::open_to_read(path)?.reopen()?;
    tell.say(format_args!("read(2), by this process: {KERNEL}\"{}\"{KERNEL:#}", text_of(path)?))?;
    the_page_is(tell, &eye)?;
    tell.blank()?;
    tell.act("3. kill -9")?;
    writer.end_by(Signal::SIGKILL)?;
    tell.say(format_args!("{WRITER}writer{WRITER:#}   process {}: killed", writer.pid()))?;
    tell.say(format_args!("read(2): {KERNEL}\"{}\"{KERNEL:#}", text_of(path)?))?;
    the_page_is(tell, &eye)?;
    tell.say("the page is the kernel's: only when the power goes is it lost")
}

fn synced(tell: &Narrator<'_>, quit: &Quit, path: &Path) -> Result<(), Failure> {
    tell.blank()?;
    tell.act("4. msync")?;
    let eye = PageFile::open_to_read(path)?.reopen()?;
    let mut writer = start_writer(tell, quit, path)?;
    writer.tell("store This is another test", quit)?;
    says(tell, &mut writer, quit)?;
    for (how, _) in HOW {
        writer.tell(how, quit)?;
        says(tell, &mut writer, quit)?;
        the_page_is(tell, &eye)?;
    }
    writer.finish()?;
    Ok(())
}

fn replaced(tell: &Narrator<'_>, quit: &Quit, path: &Path) -> Result<(), Failure> {
    tell.blank()?;
    tell.act("5. A whole file, replaced")?;
    for (way, words) in actors::WAYS {
        let mut replacer =
            Actor::start("replacer", ["demo-replacer".as_ref(), path.as_os_str(), way.as_ref()])?;
        replacer.line(quit)?;
        let mut torn = 0;
        for _ in 0..LOOKS {
            quit.check()?;
            let bytes = fs::read(path)
                .map_err(|error| Error::from_io("read", &error, path.display().to_string()))?;
            torn += usize::from(!is_whole(&bytes));
        }
        replacer.end_by(Signal::SIGTERM)?;
        tell.say(format_args!(
            "{words:<38} of {LOOKS} reads {KERNEL}{torn} found it in pieces{KERNEL:#}"
        ))?;
    }
    tell.say("and the fsync before and after the rename make it so for a power cut, too")
}

fn start_writer(tell: &Narrator<'_>, quit: &Quit, path: &Path) -> Result<Actor, Failure> {
    let mut writer = Actor::start("writer", ["demo-writer".as_ref(), path.as_os_str()])?;
    says(tell, &mut writer, quit)?;
    Ok(writer)
}

fn says(tell: &Narrator<'_>, writer: &mut Actor, quit: &Quit) -> Result<(), Failure> {
    let line = writer.line(quit)?;
    tell.say(format_args!("{WRITER}{}{WRITER:#}   {line}", writer.name()))
}

fn the_page_is(tell: &Narrator<'_>, eye: &File) -> Result<(), Failure> {
    let page = look::at(eye);
    match page.unknown() {
        Some(reason) => {
            tell.say(format_args!("page 0 is {}; dirty or clean: {reason}", page.words()))
        }
        None => tell.say(format_args!("page 0 is {KERNEL}{}{KERNEL:#}", page.words())),
    }
}

/// What read(2) finds up to the first NUL.
fn text_of(path: &Path) -> Result<String, Failure> {
    let bytes = fs::read(path)
        .map_err(|error| Error::from_io("read", &error, path.display().to_string()))?;
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(text).into_owned())
}
