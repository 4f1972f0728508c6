//! Memory that both processes have, with a slot for each direction:
//!
//! ```text
//!   0        8               128 or more, a multiple of 128
//!   ┌────────┬──────────────┐┌────────┬──────────────┐
//!   │ number │ the note     ││ number │ the answer   │
//!   └────────┴──────────────┘└────────┴──────────────┘
//!     stored last: whoever sees it sees the note
//! ```

use std::fs::File;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use benches::bench::stop;
use benches::files::Place;
use benches::raw::{Map, Segment};
use ipc_common::view::WriteView;
use ipc_common::{Error, Key, Result};
use mmap_file::{MapOptions, Mapping};
use sysv_shm::{AttachedWrite, Mode};

use crate::trip::Transport;
use crate::waiting::Waiting;

/// Between the number and the note.
const NOTE: usize = 8;
/// Slots begin at multiples of this: processors fetch cache lines in pairs.
const APART: usize = 128;

/// Where the memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Segment,
    File,
}

impl Kind {
    pub const ALL: [Kind; 2] = [Kind::Segment, Kind::File];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Segment => "System V segment",
            Kind::File => "mapped file",
        }
    }

    pub fn library(self) -> &'static str {
        match self {
            Kind::Segment => "sysv-shm",
            Kind::File => "mmap_file",
        }
    }
}

/// Memory that can be copied to and from, and has numbers that are stored and loaded whole.
pub trait Bytes {
    fn put(&self, at: usize, bytes: &[u8]);
    fn get(&self, at: usize, bytes: &mut [u8]);
    fn number(&self, at: usize) -> &AtomicU32;
}

/// A transport: memory, and a way of waiting.
pub struct Memory<B, W> {
    bytes: B,
    waiting: W,
    /// The number of the last note.
    last: u32,
}

impl<B, W: Waiting> Memory<B, W> {
    pub fn new(bytes: B) -> Result<Memory<B, W>> {
        Ok(Memory { bytes, waiting: W::new()?, last: 0 })
    }

    /// Bytes for notes of so many.
    pub fn needed(size: u64) -> usize {
        2 * slot(usize::try_from(size).expect("it fits into memory"))
    }
}

fn slot(size: usize) -> usize {
    (NOTE + size).next_multiple_of(APART)
}

impl<B: Bytes, W: Waiting> Transport for Memory<B, W> {
    fn answer_only(&mut self) {
        self.waiting.answer_only();
    }

    fn begin(&mut self) {
        // Not remembered from the rounds before: a forked copy of this process may have asked
        // meanwhile, to be counted.
        self.last = self.bytes.number(0).load(Relaxed);
    }

    #[inline]
    fn ask(&mut self, note: &mut [u8]) {
        let other = slot(note.len());
        self.last = self.last.wrapping_add(1);
        self.bytes.put(NOTE, note);
        self.waiting.publish(self.bytes.number(0), self.last, 0);
        self.waiting.wait(self.bytes.number(other), self.last, 1);
        self.bytes.get(other + NOTE, note);
    }

    #[inline]
    fn answer(&mut self, note: &mut [u8]) {
        let other = slot(note.len());
        self.last = self.last.wrapping_add(1);
        self.waiting.wait(self.bytes.number(0), self.last, 0);
        self.bytes.get(NOTE, note);
        self.bytes.put(other + NOTE, note);
        self.waiting.publish(self.bytes.number(other), self.last, 1);
    }
}

/// By libc alone: memcpy.
pub enum Raw {
    Segment(Segment),
    File(Map),
}

impl Raw {
    pub fn new(kind: Kind, place: &Place, len: usize) -> Result<Raw> {
        match kind {
            Kind::Segment => Segment::new(len).map(Raw::Segment),
            Kind::File => {
                let protection = libc::PROT_READ | libc::PROT_WRITE;
                let file = file(place, len)?;
                Map::of_file(&file, len, protection, libc::MAP_SHARED).map(Raw::File)
            }
        }
    }

    #[inline]
    fn memory(&self) -> (*mut u8, usize) {
        match self {
            Raw::Segment(segment) => (segment.start(), segment.len()),
            Raw::File(map) => (map.start(), map.len()),
        }
    }
}

impl Bytes for Raw {
    #[inline]
    fn put(&self, at: usize, bytes: &[u8]) {
        let (start, len) = self.memory();
        assert!(at + bytes.len() <= len);
        // SAFETY: inside the memory; the other process looks at it only after `publish`.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), start.add(at), bytes.len()) };
    }

    #[inline]
    fn get(&self, at: usize, bytes: &mut [u8]) {
        let (start, len) = self.memory();
        assert!(at + bytes.len() <= len);
        // SAFETY: inside the memory; the other process writes it only after the next `publish`.
        unsafe { std::ptr::copy_nonoverlapping(start.add(at), bytes.as_mut_ptr(), bytes.len()) };
    }

    #[inline]
    fn number(&self, at: usize) -> &AtomicU32 {
        let (start, len) = self.memory();
        assert!(at + 4 <= len && at.is_multiple_of(4));
        // SAFETY: inside the memory, which begins with a page; both sides use it as an atomic.
        unsafe { &*start.add(at).cast() }
    }
}

/// By our library: views, whose copies are sound whatever the other process does.
pub enum Views {
    Segment(AttachedWrite),
    File(Mapping),
}

impl Views {
    pub fn new(kind: Kind, place: &Place, len: usize) -> Result<Views> {
        match kind {
            Kind::Segment => {
                let segment = sysv_shm::Segment::create(Key::PRIVATE, len, Mode::PRIVATE)?;
                let attached = segment.attach_write();
                // Marked at once: it goes with its last attachment, however that ends.
                segment.mark_for_removal()?;
                attached.map(Views::Segment)
            }
            Kind::File => {
                let file = file(place, len)?;
                MapOptions::new().read_write().map(file).map(Views::File)
            }
        }
    }

    #[inline]
    fn view(&self) -> WriteView<'_> {
        match self {
            Views::Segment(attached) => attached.view(),
            Views::File(mapping) => mapping.write_view().unwrap_or_else(|error| stop(&error)),
        }
    }
}

impl Bytes for Views {
    #[inline]
    fn put(&self, at: usize, bytes: &[u8]) {
        self.view().write(at, bytes).unwrap_or_else(|error| stop(&error));
    }

    #[inline]
    fn get(&self, at: usize, bytes: &mut [u8]) {
        self.view().read(at, bytes).unwrap_or_else(|error| stop(&error));
    }

    #[inline]
    fn number(&self, at: usize) -> &AtomicU32 {
        self.view().atomic_u32(at).unwrap_or_else(|error| stop(&error))
    }
}

fn file(place: &Place, len: usize) -> Result<File> {
    let file = place.unnamed()?;
    let longer = file.set_len(len as u64);
    longer.map_err(|error| Error::from_io("ftruncate", &error, format!("{len} bytes")))?;
    Ok(file)
}
