//! `info`: what the kernel and the note say about a file.

use std::fs::{File, Metadata};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use clap::Args;
use ipc_common::cli::style::STRONG;
use ipc_common::cli::{Failure, json_line, note_json, out, shown};
use ipc_common::note::Reading;
use ipc_common::{Error, PageSize};
use mmap_file::note::NoteReader;
use mmap_file::{Access, MapOptions, maps, open_file};
use nix::unistd::{Uid, User, Whence, lseek};
use serde_json::{Value, json};

/// Show what there is to know about a file that may be mapped.
#[derive(Args)]
#[command(
    long_about = "Show a file as mmap sees it: its pages, how much of the last one it fills, what \
is really allocated on the disk, whether it is a note, whether a writer is at work, and who has it \
mapped (among the processes that you may look into).",
    after_help = "Example:\n  mmap-file info ~/.local/state/ipc-course/note\n\n\
Exit codes: 0 done, 1 failed, 2 wrong usage."
)]
pub struct Info {
    /// The file
    file: PathBuf,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// What was found, all of it just now.
struct Facts {
    found: Metadata,
    has_holes: bool,
    is_note: bool,
    reading: Reading,
    locked: bool,
    mapped_by: Vec<u32>,
    not_looked_into: usize,
}

impl Info {
    pub fn run(self) -> Result<(), Failure> {
        let file = open_file(&self.file, Access::Read)?;
        let mut note = NoteReader::open(&self.file)?;
        // The kernel lists a file under a device number that stat(2) does not always give (btrfs,
        // overlayfs). So: map it, and see how it lists ours.
        let ours = MapOptions::new().len(1).allow_past_end().map(&file)?;
        let (mapped_by, not_looked_into) = maps::who_maps(&maps::listing_of(&ours)?)?;
        let facts = Facts {
            found: metadata(&file, &self.file)?,
            has_holes: has_holes(&file),
            is_note: note.is_note()?,
            reading: note.read()?,
            locked: note.is_locked()?,
            mapped_by,
            not_looked_into,
        };
        if self.json {
            writeln!(out(), "{}", json_line(&as_json(&facts)))?;
            return Ok(());
        }
        writeln!(out(), "{STRONG}{}{STRONG:#}", shown(&self.file))?;
        for (name, value) in rows(&facts) {
            writeln!(out(), "  {name:<11}{value}")?;
        }
        Ok(())
    }
}

fn metadata(file: &File, path: &std::path::Path) -> Result<Metadata, Error> {
    file.metadata().map_err(|error| Error::from_io("fstat", &error, path.display().to_string()))
}

/// Whether some of its bytes are on no disk block. File systems that cannot tell say no.
fn has_holes(file: &File) -> bool {
    let len = file.metadata().map_or(0, |found| found.len());
    lseek(file, 0, Whence::SeekHole).is_ok_and(|hole| hole.unsigned_abs() < len)
}

fn last_page(len: u64) -> u64 {
    let page = PageSize::system().bytes() as u64;
    if len == 0 { 0 } else { (len - 1) % page + 1 }
}

fn pages(len: u64) -> u64 {
    len.div_ceil(PageSize::system().bytes() as u64)
}

fn owner(found: &Metadata) -> String {
    let user = User::from_uid(Uid::from_raw(found.uid())).ok().flatten();
    user.map_or_else(|| found.uid().to_string(), |user| format!("{} ({})", user.name, user.uid))
}

/// In quotes, and no longer than a line or two.
fn beginning(text: &str) -> String {
    const ENOUGH: usize = 100;
    match text.char_indices().nth(ENOUGH) {
        Some((cut, _)) => format!("\"{}\"…", &text[..cut]),
        None => format!("\"{text}\""),
    }
}

fn rows(facts: &Facts) -> Vec<(&'static str, String)> {
    let (found, page) = (&facts.found, PageSize::system());
    let len = found.len();
    let holes = if facts.has_holes { "with holes" } else { "no holes" };
    let mut rows = vec![
        ("length", format!("{len} bytes")),
        ("pages", format!("{} of {page}; {} bytes in the last", pages(len), last_page(len))),
        ("allocated", format!("{} bytes, {holes}", found.blocks() * 512)),
        ("identity", format!("device {:#x}, inode {}", found.dev(), found.ino())),
        ("mode", format!("{:04o}, owner {}", found.mode() & 0o7777, owner(found))),
    ];
    let text = match &facts.reading {
        Reading::Whole { text, .. } if text.is_empty() => "empty".into(),
        Reading::Whole { text, .. } => beginning(&text.to_string()),
        Reading::Abandoned => "abandoned: its writer died in the middle".into(),
        Reading::Busy => "being written all the time".into(),
    };
    rows.push(match facts.reading {
        Reading::Whole { sequence, .. } if facts.is_note => {
            ("note", format!("{text}, sequence {sequence}"))
        }
        _ if facts.is_note => ("note", text),
        _ => ("note", format!("none of ours; a reader would show {text}")),
    });
    let locked = if facts.locked { "held by a writer" } else { "free" };
    rows.push(("lock", locked.into()));
    let mut who: String =
        facts.mapped_by.iter().map(|pid| format!("{pid} ")).collect::<String>().trim_end().into();
    if who.is_empty() {
        who = "nobody".into();
    }
    if facts.not_looked_into > 0 {
        let count = facts.not_looked_into;
        who += &format!(" (among those that may be looked into; {count} may not)");
    }
    rows.push(("mapped by", who));
    rows
}

fn as_json(facts: &Facts) -> Value {
    let found = &facts.found;
    let (note, sequence, state) = match &facts.reading {
        Reading::Whole { text, sequence } => (note_json(text), Some(sequence), "whole"),
        Reading::Abandoned => (Value::Null, None, "abandoned"),
        Reading::Busy => (Value::Null, None, "busy"),
    };
    json!({
        "length": found.len(),
        "page_size": PageSize::system().bytes(),
        "pages": pages(found.len()),
        "bytes_in_last_page": last_page(found.len()),
        "allocated": found.blocks() * 512,
        "holes": facts.has_holes,
        "device": found.dev(),
        "inode": found.ino(),
        "mode": format!("{:04o}", found.mode() & 0o7777),
        "uid": found.uid(),
        "is_note": facts.is_note,
        "state": state,
        "text": note["note"],
        "hex": note["hex"],
        "sequence": sequence.filter(|_| facts.is_note),
        "locked": facts.locked,
        "mapped_by": facts.mapped_by,
        "not_looked_into": facts.not_looked_into,
    })
}
