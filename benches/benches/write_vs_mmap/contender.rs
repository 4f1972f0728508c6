//! A way of writing, at a file whose pages are in a given state when a round begins.

use std::fs::File;
use std::os::fd::AsRawFd;

use benches::bench::stop;
use benches::files::{Pieces, Place, Plan};
use benches::raw::{Buffer, Map};
use benches::{Watch, sum};
use ipc_common::Errno;
use mmap_file::{MapOptions, Mapping};

use crate::ways::{By, Wait, Way};

/// So much at a time: what a write(2) is given, and what memcpy copies.
pub const PIECE: usize = 64 << 10;

/// What the file's pages are when a round begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not there: the file is new and has no bytes.
    New,
    /// As on the disk: the kernel has to be told of the first store to each.
    Clean,
    /// Written by the same contender before, and not yet on the disk. (Every 30 s or so the kernel
    /// writes such pages by itself; a round may find some clean. The spread shows it.)
    Dirty,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::New => "new file",
            State::Clean => "clean pages",
            State::Dirty => "dirty pages",
        }
    }
}

pub struct Contender<'a> {
    place: &'a Place,
    buffer: &'a Buffer,
    len: usize,
    state: State,
    way: Way,
    file: Option<File>,
    kept: Kept,
}

/// The mapping that a reused one is, made in the first round.
enum Kept {
    None,
    Bare(Map),
    Ours(Mapping),
}

impl<'a> Contender<'a> {
    pub fn new(
        place: &'a Place,
        buffer: &'a Buffer,
        len: usize,
        state: State,
        way: Way,
    ) -> Contender<'a> {
        Contender { place, buffer, len, state, way, file: None, kept: Kept::None }
    }

    pub fn rounds(&mut self, watch: &mut Watch, rounds: u64) {
        if self.state == State::New {
            for _ in 0..rounds {
                let file = self.place.unnamed().unwrap_or_else(|error| stop(&error));
                watch.on(|| self.round(&file));
                // To give the pages back again takes as long, and is not timed.
                drop(file);
            }
            return;
        }
        let file = self.file.take().unwrap_or_else(|| self.first());
        if self.state == State::Dirty && self.way.wait == Wait::Nothing {
            // Each round leaves the pages as it found them.
            watch.on(|| (0..rounds).for_each(|_| self.round(&file)));
        } else {
            for _ in 0..rounds {
                match self.state {
                    // Also takes away every mapping's leave to store, which msync does as well.
                    State::Clean => file.sync_all().unwrap_or_else(|error| stop(&error)),
                    _ => self.store(&file),
                }
                watch.on(|| self.round(&file));
            }
        }
        self.file = Some(file);
    }

    /// The file, and the mapping if one is kept; written once, and looked at.
    fn first(&mut self) -> File {
        let plan = Plan { bytes: self.len as u64, pieces: Pieces::Large };
        let (file, _) = plan.make(self.place).unwrap_or_else(|error| stop(&error));
        match self.way.by {
            By::Reused => self.kept = Kept::Bare(self.map(&file, 0)),
            By::OurReused => self.kept = Kept::Ours(ours(&file)),
            _ => {}
        }
        self.round(&file);
        self.check(&file);
        file
    }

    fn round(&self, file: &File) {
        if self.state == State::New && self.way.by != By::Write {
            // A mapping cannot make a file longer: that is a system call.
            file.set_len(self.len as u64).unwrap_or_else(|error| stop(&error));
        }
        match self.way.by {
            By::Write => {
                self.write(file);
                self.sync_file(file);
            }
            By::Fresh(flag) => {
                let map = self.map(file, flag);
                self.copy(&map);
                self.sync_map(&map, file);
            }
            By::OurFresh => self.view(&ours(file)),
            By::Reused | By::OurReused => match &self.kept {
                Kept::Bare(map) => {
                    self.copy(map);
                    self.sync_map(map, file);
                }
                Kept::Ours(mapping) => self.view(mapping),
                Kept::None => unreachable!("it is mapped in the first round"),
            },
        }
    }

    /// The bytes without the waiting: leaves the pages dirty, for this contender's own mapping.
    fn store(&self, file: &File) {
        match &self.kept {
            Kept::Bare(map) => self.copy(map),
            Kept::Ours(mapping) => self.through_view(mapping),
            Kept::None if self.way.by == By::Write => self.write(file),
            Kept::None => self.copy(&self.map(file, 0)),
        }
    }

    fn write(&self, file: &File) {
        for at in (0..self.len).step_by(PIECE) {
            let len = PIECE.min(self.len - at);
            let (from, offset) = (self.buffer.start(), at as libc::off_t);
            // SAFETY: the buffer has at least `len` bytes.
            let written = unsafe { libc::pwrite(file.as_raw_fd(), from.cast(), len, offset) };
            if written != len as isize {
                stop(&format!("pwrite of {len} bytes: {written}, {}", Errno::last()));
            }
        }
    }

    fn copy(&self, map: &Map) {
        for at in (0..self.len).step_by(PIECE) {
            let len = PIECE.min(self.len - at);
            // SAFETY: inside the mapping, which nobody has references to; the buffer is as long; the
            // two do not overlap.
            unsafe {
                std::ptr::copy_nonoverlapping(self.buffer.start(), map.start().add(at), len);
            }
        }
    }

    fn view(&self, mapping: &Mapping) {
        self.through_view(mapping);
        match self.way.wait {
            Wait::Nothing => {}
            Wait::MsAsync => mapping.flush_async(0..self.len).unwrap_or_else(|error| stop(&error)),
            _ => mapping.flush(0..self.len).unwrap_or_else(|error| stop(&error)),
        }
    }

    fn through_view(&self, mapping: &Mapping) {
        let view = mapping.write_view().unwrap_or_else(|error| stop(&error));
        for at in (0..self.len).step_by(PIECE) {
            // SAFETY: nobody else uses the buffer now.
            let from = unsafe { self.buffer.part(PIECE.min(self.len - at)) };
            view.write(at, from).unwrap_or_else(|error| stop(&error));
        }
    }

    fn sync_map(&self, map: &Map, file: &File) {
        match self.way.wait {
            Wait::MsAsync => map.sync(libc::MS_ASYNC).unwrap_or_else(|error| stop(&error)),
            Wait::MsSync => map.sync(libc::MS_SYNC).unwrap_or_else(|error| stop(&error)),
            _ => self.sync_file(file),
        }
    }

    fn sync_file(&self, file: &File) {
        let synced = match self.way.wait {
            Wait::Fsync => file.sync_all(),
            Wait::Fdatasync => file.sync_data(),
            _ => Ok(()),
        };
        synced.unwrap_or_else(|error| stop(&error));
    }

    fn map(&self, file: &File, flag: i32) -> Map {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        Map::of_file(file, self.len, protection, libc::MAP_SHARED | flag)
            .unwrap_or_else(|error| stop(&error))
    }

    /// Whether the file has what was to be written.
    fn check(&self, file: &File) {
        let map = self.map(file, 0);
        // SAFETY: the file has no name, so nobody else writes it; the buffer is ours.
        let (written, piece) =
            unsafe { (sum::at(map.start(), self.len), |len| sum::at(self.buffer.start(), len)) };
        let pieces = (self.len / PIECE) as u64;
        let expected = pieces * piece(PIECE) + piece(self.len % PIECE);
        assert_eq!(written, expected, "{} wrote something else", self.way.name());
    }
}

fn ours(file: &File) -> Mapping {
    MapOptions::new().read_write().map(file).unwrap_or_else(|error| stop(&error))
}
