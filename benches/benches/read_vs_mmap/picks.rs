//! The contenders for random pieces: from an open descriptor to the sum of the pieces.

use std::fs::File;
use std::os::fd::AsRawFd;

use benches::files::Source;
use benches::raw::{Buffer, Map};
use benches::{Watch, sum};
use mmap_file::MapOptions;

/// How a piece gets to the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// pread(2) of each.
    Pread,
    /// A new mapping each round, with this flag and this advice.
    Fresh { flag: i32, advice: Option<i32> },
    /// A mapping that was faulted in long ago.
    Reused,
    /// A new mapping, each piece copied by memcpy: the same work as our library's.
    Copied,
    /// Our library: a new mapping each round, its view copies each piece.
    Ours,
}

impl Way {
    pub fn name(self) -> &'static str {
        match self {
            Way::Pread => "pread",
            Way::Fresh { flag: libc::MAP_POPULATE, .. } => "mmap, MAP_POPULATE",
            Way::Fresh { advice: Some(_), .. } => "mmap, MADV_RANDOM",
            Way::Fresh { .. } => "mmap, fresh",
            Way::Reused => "mmap, reused",
            Way::Copied => "mmap, copied by memcpy",
            Way::Ours => "mmap_file, truncation-proof",
        }
    }
}

/// A contender at a file.
pub struct Picks<'a> {
    source: &'a Source<'a>,
    buffer: &'a Buffer,
    way: Way,
    /// Bytes in a piece.
    piece: usize,
    /// Where they begin: the same places in the same order for all contenders.
    places: &'a [usize],
    cold: bool,
    file: Option<File>,
    kept: Option<Map>,
    expected: Option<u64>,
}

/// `count` places for pieces of so many bytes: anywhere in a file of `len` bytes, in no order that
/// readahead could guess.
pub fn places(len: usize, piece: usize, count: usize) -> Vec<usize> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    (0..count).map(|_| next() % (len / piece) * piece).collect()
}

impl<'a> Picks<'a> {
    pub fn new(
        source: &'a Source<'a>,
        buffer: &'a Buffer,
        way: Way,
        piece: usize,
        places: &'a [usize],
    ) -> Picks<'a> {
        Picks {
            source,
            buffer,
            way,
            piece,
            places,
            cold: false,
            file: None,
            kept: None,
            expected: None,
        }
    }

    /// Nothing of the file is in memory when a round begins.
    pub fn cold(self) -> Picks<'a> {
        Picks { cold: true, ..self }
    }

    pub fn rounds(&mut self, watch: &mut Watch, rounds: u64) {
        let expected = match self.expected {
            Some(expected) => expected,
            None => self.by_pread(self.source.file()),
        };
        self.expected = Some(expected);
        if self.cold {
            for _ in 0..rounds {
                let file = self.source.open_cold();
                let total = watch.on(|| self.round(&file));
                assert_eq!(total, expected, "{} read something else", self.way.name());
            }
            return;
        }
        let file = self.file.take().unwrap_or_else(|| self.source.open());
        if self.way == Way::Reused && self.kept.is_none() {
            let map = self.map(&file, 0);
            map.load_each_page();
            self.kept = Some(map);
        }
        watch.on(|| {
            for _ in 0..rounds {
                assert_eq!(self.round(&file), expected, "{} read something else", self.way.name());
            }
        });
        self.file = Some(file);
    }

    fn round(&self, file: &File) -> u64 {
        match self.way {
            Way::Pread => self.by_pread(file),
            Way::Fresh { flag, advice } => {
                let map = self.map(file, flag);
                if let Some(advice) = advice {
                    map.advise(advice).expect("the advice is known");
                }
                self.in_place(&map)
            }
            Way::Reused => self.in_place(self.kept.as_ref().expect("it was mapped before")),
            Way::Copied => self.by_memcpy(&self.map(file, 0)),
            Way::Ours => self.by_view(file),
        }
    }

    fn by_pread(&self, file: &File) -> u64 {
        let read = |at: usize| {
            let (to, offset) = (self.buffer.start(), at as libc::off_t);
            // SAFETY: the buffer is larger than a piece, and nobody else uses it now.
            let read = unsafe { libc::pread(file.as_raw_fd(), to.cast(), self.piece, offset) };
            assert_eq!(read, self.piece as isize);
            // SAFETY: they have just been read.
            unsafe { sum::at(to, self.piece) }
        };
        self.places.iter().copied().map(read).sum()
    }

    fn in_place(&self, map: &Map) -> u64 {
        // SAFETY: all places are in the file, which has no name: nobody cuts or writes it.
        let look = |at: usize| unsafe { sum::at(map.start().add(at), self.piece) };
        self.places.iter().copied().map(look).sum()
    }

    fn by_memcpy(&self, map: &Map) -> u64 {
        let copy = |at: usize| {
            let to = self.buffer.start();
            // SAFETY: all places are in the file, which has no name; the buffer is larger than a
            // piece, and nobody else uses it now.
            unsafe {
                std::ptr::copy_nonoverlapping(map.start().add(at), to, self.piece);
                sum::at(to, self.piece)
            }
        };
        self.places.iter().copied().map(copy).sum()
    }

    fn by_view(&self, file: &File) -> u64 {
        let mapping = MapOptions::new().map(file).expect("the file is there");
        let view = mapping.view().expect("nobody cuts it");
        let copy = |at: usize| {
            // SAFETY: nobody else uses the buffer now.
            let to = unsafe { self.buffer.part(self.piece) };
            view.read(at, to).expect("nobody cuts it");
            sum::of(to)
        };
        self.places.iter().copied().map(copy).sum()
    }

    fn map(&self, file: &File, flag: i32) -> Map {
        let flags = libc::MAP_SHARED | flag;
        Map::of_file(file, self.source.len(), libc::PROT_READ, flags).expect("the file is there")
    }
}
