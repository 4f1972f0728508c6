//! The drawing of the handout, as the grader reads it; and mailboxes that the grader makes by itself.

use std::path::PathBuf;

use crate::check::{Stop, Verdict};
use crate::driver::{Answer, Driver, hex, hex_path, unhex};
use crate::evidence::file::Opened;
use crate::evidence::process::Mapping;
use crate::stage::Stage;

pub(super) const HEADER: usize = 64;
const MAGIC: &[u8; 8] = b"MAILBOX1";
pub(super) const AT_SEQUENCE: u64 = 12;

/// A path and a capacity: where a mailbox is, or is to be.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) capacity: usize,
}

/// What is in a mailbox, as its bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) sequence: u32,
    pub(super) length: u32,
    /// All of the room.
    pub(super) room: Vec<u8>,
}

/// A message as a reader tells of it.
pub(super) type Told = Option<(u32, Vec<u8>)>;

impl Contents {
    pub(super) fn text(&self) -> Option<&[u8]> {
        self.room.get(..self.length as usize)
    }
}

impl Place {
    /// A fresh one, of a capacity that nobody can guess and that is no number of pages.
    pub(super) fn new(stage: &mut Stage) -> Place {
        let capacity = stage.random().between(100, 900);
        Place::of(stage, capacity)
    }

    pub(super) fn of(stage: &mut Stage, capacity: usize) -> Place {
        Place { path: stage.fresh_path(), capacity }
    }

    pub(super) fn len(&self) -> usize {
        HEADER + self.capacity
    }

    /// The first bytes of every mailbox of this capacity.
    pub(super) fn start(&self) -> Vec<u8> {
        [&MAGIC[..], &(self.capacity as u32).to_ne_bytes()].concat()
    }

    /// A mailbox with a message; `sequence` 0 and no bytes: without.
    pub(super) fn bytes(&self, sequence: u32, text: &[u8]) -> Vec<u8> {
        let mut bytes = self.start();
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend((text.len() as u32).to_ne_bytes());
        bytes.resize(HEADER, 0);
        bytes.extend(text);
        bytes.resize(self.len(), 0);
        bytes
    }

    /// Makes the mailbox as the drawing has it, so that a check needs no student's program for it.
    pub(super) fn plant(&self, stage: &Stage, sequence: u32, text: &[u8]) -> Result<Opened, Stop> {
        stage.make_file(&self.path, &self.bytes(sequence, text), 0o600)?;
        self.found(stage)
    }

    /// The file, which has to be there.
    pub(super) fn found(&self, stage: &Stage) -> Result<Opened, Stop> {
        stage
            .open(&self.path)?
            .ok_or_else(|| Stop::failed("a file with the mailbox's name", "there is none"))
    }

    /// What is in the file now.
    pub(super) fn contents(&self, file: &Opened) -> Result<Contents, Stop> {
        let bytes = file.read(0, self.len())?;
        if bytes.len() != self.len() {
            return Err(Stop::failed(
                format!("a file of {} bytes", self.len()),
                format!("it ends after {}", bytes.len()),
            ));
        }
        let word =
            |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        Ok(Contents { sequence: word(12), length: word(16), room: bytes[HEADER..].to_vec() })
    }

    pub(super) fn open_writer(&self, driver: &mut Driver) -> Answer {
        let words = ["open-writer", &hex_path(&self.path), &self.capacity.to_string()];
        named("Writer::open", driver.ask(&words))
    }

    pub(super) fn open_reader(&self, driver: &mut Driver) -> Answer {
        let words = ["open-reader", &hex_path(&self.path), &self.capacity.to_string()];
        named("Reader::open", driver.ask(&words))
    }

    /// How a process has the file mapped.
    pub(super) fn mapping(&self, driver: &Driver) -> Result<Option<Mapping>, Stop> {
        Ok(driver.maps()?.into_iter().find(|map| map.name == self.path))
    }
}

/// The answer to a request, which is called as the student's function is: people do not read
/// hexadecimal.
pub(super) fn named(function: &str, answer: Answer) -> Answer {
    Answer { request: function.into(), ..answer }
}

/// Sends, and returns the sequence that the writer claims to have reached.
pub(super) fn send(driver: &mut Driver, text: &[u8]) -> Result<u32, Stop> {
    named("Writer::send", driver.ask(&["send", &hex(text)])).number()
}

/// Reads, and returns what the reader claims to have found.
pub(super) fn read(driver: &mut Driver) -> Result<Told, Stop> {
    told(named("Reader::read", driver.ask(&["read"])))
}

/// What an answer to `read` tells.
pub(super) fn told(answer: Answer) -> Result<Told, Stop> {
    let unexpected = answer.instead_of("it tells the message, or that there is none");
    match answer.ok()?.as_slice() {
        [none] if none == "none" => Ok(None),
        [some, sequence, text] if some == "some" => {
            let sequence = sequence.parse().ok();
            sequence.zip(unhex(text)).map(Some).ok_or(unexpected)
        }
        _ => Err(unexpected),
    }
}

/// Fails unless the reader tells of this message.
pub(super) fn reads(driver: &mut Driver, sequence: u32, text: &[u8]) -> Verdict {
    let found = read(driver)?;
    if found.as_ref().is_some_and(|found| (found.0, &found.1[..]) == (sequence, text)) {
        return Ok(());
    }
    let expected = format!("message {sequence}, {} bytes, {}", text.len(), quoted(text));
    Err(Stop::failed(expected, shown(&found)))
}

/// What a reader told, for people.
pub(super) fn shown(told: &Told) -> String {
    match told {
        None => "the reader says that there is no message".into(),
        Some((sequence, text)) => format!(
            "the reader tells of message {sequence}, {} bytes, {}",
            text.len(),
            quoted(text)
        ),
    }
}

/// A message, for people.
pub(super) fn quoted(text: &[u8]) -> String {
    crate::shown::line(text, 60)
}
