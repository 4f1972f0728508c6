//! The parts that child processes play. They do as they are told, line by line, and say what they
//! did.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process;
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use ipc_common::cli::{Failure, Lines, Quit, out};
use ipc_common::{Errno, Error};
use page_sync::durable::replace;
use page_sync::file::PageFile;
use page_sync::sync::Msync;

/// What a writer may be told to sync by.
pub const HOW: [(&str, Msync); 2] = [("async", Msync::ASYNC), ("sync", Msync::SYNC)];

/// The ways to replace a file, and what they are called.
pub const WAYS: [(&str, &str); 2] =
    [("in-place", "written in place"), ("rename", "written beside it, synced, and renamed")];

/// A part in `demo`
#[derive(Args)]
pub struct Writer {
    file: PathBuf,
}

impl Writer {
    pub fn run(self) -> Result<(), Failure> {
        let quit = Quit::watch()?;
        let file = PageFile::open(&self.file)?;
        let at = file.address();
        say(&format!("process {}: has the page at {at:#x}", process::id()))?;
        let mut lines = Lines::new(file.pages().bytes());
        while let Some(line) = lines.next(&quit)? {
            let line = String::from_utf8_lossy(&line.bytes).into_owned();
            let how = HOW.iter().find(|(name, _)| *name == line);
            match (line.strip_prefix("store "), how) {
                (Some(text), _) => {
                    let _ = file.page_mut(0)?.put_text(text.as_bytes())?;
                    say(&format!("stores \"{text}\""))?;
                }
                (None, Some((_, how))) => {
                    let start = Instant::now();
                    file.sync(.., *how)?;
                    let took = start.elapsed().as_secs_f64() * 1e3;
                    say(&format!("msync({how}) = 0, after {took:.3} ms"))?;
                }
                (None, None) => {
                    return Err(Error::refused("demo", Errno::EINVAL, line)
                        .with_remedy("a writer is told: store TEXT, async, sync")
                        .into());
                }
            }
        }
        Ok(())
    }
}

/// A part in `demo`
#[derive(Args)]
pub struct Replacer {
    file: PathBuf,
    #[arg(value_parser = WAYS.map(|(way, _)| way))]
    way: String,
}

impl Replacer {
    /// Until a signal comes.
    pub fn run(self) -> Result<(), Failure> {
        let quit = Quit::watch()?;
        let in_place = OsStr::new(&self.way) == WAYS[0].0;
        let mut began = false;
        loop {
            for letter in b'a'..=b'z' {
                let content = content(letter);
                if in_place {
                    fs::write(&self.file, &content).map_err(|error| {
                        Error::from_io("write", &error, self.file.display().to_string())
                    })?;
                } else {
                    let _ = replace(&self.file, 0o600, &content).map_err(Error::from)?;
                }
                if !began {
                    say("began")?;
                    began = true;
                }
                // Time in which the file is whole, either way.
                sleep(Duration::from_millis(1));
                // Asked to end, it has done what it was for.
                if quit.asked().is_some() {
                    return Ok(());
                }
            }
        }
    }
}

/// A letter, many times.
fn content(letter: u8) -> Vec<u8> {
    vec![letter; 256 * 1024]
}

pub fn is_whole(found: &[u8]) -> bool {
    found.first().is_some_and(|letter| found == content(*letter))
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = out();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
