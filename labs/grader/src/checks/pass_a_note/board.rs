//! The drawing of the handout, as the grader reads it; and boards that the grader makes by itself.

use std::path::PathBuf;

use ipc_common::Key;

use crate::check::{Stop, require};
use crate::driver::{Answer, Driver, hex_path};
use crate::stage::{Stage, key_of};

use super::asking::named;
use super::memory::Memory;

pub(super) const MAGIC: u32 = u32::from_ne_bytes(*b"NOTE");
pub(super) const HEADER: usize = 32;
pub(super) const SLOT_HEADER: usize = 16;
pub(super) const FREE: u32 = 0;
pub(super) const POSTED: u32 = 2;

/// How large a board is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) slots: usize,
    pub(super) room: usize,
}

impl Shape {
    /// A small one that nobody can guess.
    pub(super) fn random(stage: &mut Stage) -> Shape {
        let random = stage.random();
        Shape { slots: random.between(3, 9), room: 8 * random.between(4, 20) }
    }

    pub(super) fn size(self) -> usize {
        self.slot(self.slots)
    }

    /// Where a slot begins.
    pub(super) fn slot(self, number: usize) -> usize {
        HEADER + number * (SLOT_HEADER + self.room)
    }

    /// The longest text.
    pub(super) fn longest(self) -> usize {
        self.room - 1
    }

    pub(super) fn header(self) -> Vec<u8> {
        let words = [MAGIC, 1, self.slots as u32, self.room as u32, 0, 0, 0, 0];
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }
}

/// What a slot holds, as its bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) state: u32,
    pub(super) length: u32,
    /// All of its room.
    pub(super) room: Vec<u8>,
}

impl Slot {
    pub(super) fn of(board: &[u8], shape: Shape, number: usize) -> Slot {
        let slot = &board[shape.slot(number)..shape.slot(number + 1)];
        let word = |at: usize| u32::from_ne_bytes(slot[at..at + 4].try_into().expect("four bytes"));
        Slot { state: word(0), length: word(4), room: slot[SLOT_HEADER..].to_vec() }
    }

    /// The text of a whole note.
    pub(super) fn text(&self) -> Option<&[u8]> {
        (self.state == POSTED).then(|| self.room.get(..self.length as usize)).flatten()
    }

    /// The bytes of a slot that the grader fills.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = [self.state.to_ne_bytes(), self.length.to_ne_bytes()].concat();
        bytes.extend([0; 8]);
        bytes.extend(&self.room);
        bytes
    }
}

/// A key file, a project, a shape: where a board is, or is to be.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) project: u8,
    pub(super) shape: Shape,
}

impl Place {
    /// A fresh one.
    pub(super) fn new(stage: &mut Stage, shape: Shape) -> Result<Place, Stop> {
        let file = stage.key_file()?;
        let project = stage.random().between(1, 255) as u8;
        Ok(Place { file, project, shape })
    }

    pub(super) fn key(&self) -> Result<Key, Stop> {
        key_of(&self.file, self.project)
    }

    /// Makes the board as the drawing has it, so that a check needs no student's Poster for it. What
    /// is free holds anything but zeros.
    pub(super) fn plant(
        &self,
        stage: &mut Stage,
        notes: &[Option<Vec<u8>>],
    ) -> Result<Memory, Stop> {
        let mut bytes = self.shape.header();
        for slot in 0..self.shape.slots {
            let mut room = stage.random().bytes(self.shape.room);
            // Nothing after a text helps to end it.
            room.iter_mut().for_each(|byte| *byte |= 1);
            let length = stage.random().u64() as u32 | 1;
            let slot = match notes.get(slot).and_then(Option::as_ref) {
                Some(text) => {
                    room[..text.len()].copy_from_slice(text);
                    room[text.len()] = 0;
                    Slot { state: POSTED, length: text.len() as u32, room }
                }
                None => Slot { state: FREE, length, room },
            };
            bytes.extend(slot.bytes());
        }
        self.plant_bytes(stage, &bytes, 0o600)
    }

    /// Makes a segment of these bytes under the key.
    pub(super) fn plant_bytes(
        &self,
        stage: &Stage,
        bytes: &[u8],
        mode: u32,
    ) -> Result<Memory, Stop> {
        let memory = self.plant_zeros(stage, bytes.len(), mode)?;
        memory.write(0, bytes)?;
        Ok(memory)
    }

    /// Makes a segment under the key, as shmget leaves it.
    pub(super) fn plant_zeros(
        &self,
        stage: &Stage,
        size: usize,
        mode: u32,
    ) -> Result<Memory, Stop> {
        Memory::create(stage, self.key()?, size, mode)
    }

    /// The segment that has the key.
    pub(super) fn segment(&self, stage: &Stage) -> Result<Option<Memory>, Stop> {
        Ok(stage.segment(self.key()?)?.map(Memory))
    }

    /// The segment that has the key, which has to be there, and of the board's size.
    pub(super) fn found(&self, stage: &Stage) -> Result<Memory, Stop> {
        let found = self.segment(stage)?.ok_or_else(|| {
            Stop::failed(
                format!("a segment with the key of the file and the project, {}", self.shown()),
                "there is none with that key",
            )
        })?;
        require(
            found.size() == self.shape.size(),
            &format!("{} bytes", self.shape.size()),
            || format!("a segment of {}", found.size()),
        )?;
        Ok(found)
    }

    /// As `ipcs` shows the key.
    pub(super) fn shown(&self) -> String {
        self.key().map_or_else(|_| "unknown".into(), |key| key.to_string())
    }

    pub(super) fn open(&self, driver: &mut Driver) -> Answer {
        named("Poster::open", driver.ask(&self.open_words().each_ref().map(String::as_str)))
    }

    pub(super) fn open_words(&self) -> [String; 5] {
        let Shape { slots, room } = self.shape;
        let [file, project] = self.words();
        ["open".into(), file, project, slots.to_string(), room.to_string()]
    }

    pub(super) fn look(&self, driver: &mut Driver) -> Answer {
        let [file, project] = self.words();
        named("Reader::open", driver.ask(&["look", &file, &project]))
    }

    pub(super) fn take_down(&self, driver: &mut Driver) -> Answer {
        let [file, project] = self.words();
        named("take_down", driver.ask(&["take-down", &file, &project]))
    }

    fn words(&self) -> [String; 2] {
        [hex_path(&self.file), self.project.to_string()]
    }
}

/// The notes that are posted in these bytes.
pub(super) fn notes(board: &[u8], shape: Shape) -> Vec<(usize, Vec<u8>)> {
    (0..shape.slots)
        .filter_map(|slot| Some((slot, Slot::of(board, shape, slot).text()?.to_vec())))
        .collect()
}

/// The bytes without those that the drawing leaves to the student.
pub(super) fn drawn(board: &[u8], shape: Shape) -> Vec<u8> {
    let mut drawn = board.to_vec();
    drawn[16..HEADER].fill(0);
    for slot in 0..shape.slots {
        drawn[shape.slot(slot) + 8..shape.slot(slot) + SLOT_HEADER].fill(0);
    }
    drawn
}

/// A text for a note: any bytes but NUL.
pub(super) fn text(stage: &mut Stage, len: usize) -> Vec<u8> {
    stage.random().bytes(len).into_iter().map(|byte| byte.max(1)).collect()
}

/// A note, for people.
pub(super) fn quoted(text: &[u8]) -> String {
    crate::shown::line(text, 60)
}

/// How a process has the segment attached: for writing or not; `None` if it has not.
pub(super) fn attachment(driver: &Driver, segment: &Memory) -> Result<Option<bool>, Stop> {
    let maps = driver.maps()?;
    let mine = maps.iter().filter(|map| map.is_segment(segment.id()));
    Ok(mine.map(|map| map.write).reduce(|one, other| one || other))
}
