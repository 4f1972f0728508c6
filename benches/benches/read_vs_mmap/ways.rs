//! The contenders for whole passes: from an open descriptor to the sum of all bytes.

use std::fs::File;
use std::os::fd::AsRawFd;

use benches::files::Source;
use benches::raw::{Buffer, Map};
use benches::{Watch, sum};
use ipc_common::Errno;
use mmap_file::{MapOptions, Mapping};

/// The largest buffer that anyone reads with.
pub const LARGEST_BUFFER: usize = 256 << 10;
/// The one that the others are compared with, and that copies out of mappings use.
const USUAL_BUFFER: usize = 64 << 10;

/// How the bytes get to the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// read(2) into a buffer of so many bytes, after lseek(2) to the start.
    Read(usize),
    /// pread(2) into such a buffer.
    Pread(usize),
    /// A new mapping each time: mmap(2) with this flag besides, madvise(2) with this advice. (Without
    /// any it is as with MADV_NORMAL.)
    Fresh { flag: i32, advice: Option<i32> },
    /// A mapping that was faulted in long ago. This is the only way that keeps one: a benchmark
    /// whose every round finds the first round's pages says "mmap" and means this.
    Reused,
    /// A new mapping, copied into the buffer by memcpy and summed there: what the next two are to be
    /// compared with.
    Copied,
    /// Our library: a new mapping, without a guard, copied by its view.
    OurCopy,
    /// Our library as it comes: a file that is truncated meanwhile is an error, not the end.
    OurGuardedCopy,
}

impl Way {
    pub const READ: Way = Way::Read(USUAL_BUFFER);
    pub const FRESH: Way = Way::Fresh { flag: 0, advice: None };
    pub const POPULATED: Way = Way::Fresh { flag: libc::MAP_POPULATE, advice: None };

    pub const fn advised(advice: i32) -> Way {
        Way::Fresh { flag: 0, advice: Some(advice) }
    }

    /// Whether this kernel knows the advice: not every one does that calls itself Linux.
    pub fn is_known(self) -> Result<(), String> {
        let Way::Fresh { advice: Some(advice), .. } = self else { return Ok(()) };
        let probe = Map::anonymous(1, libc::MAP_PRIVATE).and_then(|map| map.advise(advice));
        probe.map_err(|error| error.to_string())
    }

    pub fn name(self) -> String {
        match self {
            Way::Read(bytes) => format!("read, {} KiB", bytes >> 10),
            Way::Pread(bytes) => format!("pread, {} KiB", bytes >> 10),
            Way::FRESH => "mmap, fresh".into(),
            Way::POPULATED => "mmap, MAP_POPULATE".into(),
            Way::Fresh { advice, .. } => match advice {
                Some(libc::MADV_SEQUENTIAL) => "mmap, MADV_SEQUENTIAL".into(),
                Some(libc::MADV_RANDOM) => "mmap, MADV_RANDOM".into(),
                Some(libc::MADV_WILLNEED) => "mmap, MADV_WILLNEED".into(),
                Some(libc::MADV_POPULATE_READ) => "mmap, MADV_POPULATE_READ".into(),
                other => format!("mmap, advice {other:?}"),
            },
            Way::Reused => "mmap, reused".into(),
            Way::Copied => "mmap, copied by memcpy".into(),
            Way::OurCopy => "mmap_file, unguarded".into(),
            Way::OurGuardedCopy => "mmap_file, truncation-proof".into(),
        }
    }
}

/// A contender at a file.
pub struct Passes<'a> {
    source: &'a Source<'a>,
    buffer: &'a Buffer,
    way: Way,
    passes: u64,
    cold: bool,
    file: Option<File>,
    kept: Option<Map>,
}

impl<'a> Passes<'a> {
    pub fn new(source: &'a Source<'a>, buffer: &'a Buffer, way: Way) -> Passes<'a> {
        Passes { source, buffer, way, passes: 1, cold: false, file: None, kept: None }
    }

    /// So often the whole file in a round.
    pub fn times(self, passes: u64) -> Passes<'a> {
        Passes { passes, ..self }
    }

    /// Nothing of the file is in memory when a round begins.
    pub fn cold(self) -> Passes<'a> {
        Passes { cold: true, ..self }
    }

    pub fn rounds(&mut self, watch: &mut Watch, rounds: u64) {
        if self.cold {
            for _ in 0..rounds {
                // A mapping of whomever would keep its pages, so nobody's is kept; and a descriptor
                // that was read from remembers how far it had read ahead, so it is a new one.
                let file = self.source.open_cold();
                let total = watch.on(|| self.round(&file));
                self.check(total);
            }
        } else {
            let file = self.file.take().unwrap_or_else(|| self.source.open());
            if self.way == Way::Reused && self.kept.is_none() {
                let map = self.map(&file, 0);
                map.load_each_page();
                self.kept = Some(map);
            }
            watch.on(|| {
                for _ in 0..rounds {
                    // Compared with what it must be: so no compiler can leave the sum out.
                    let total = self.round(&file);
                    self.check(total);
                }
            });
            self.file = Some(file);
        }
    }

    fn check(&self, total: u64) {
        assert_eq!(
            total,
            self.passes * self.source.sum(),
            "{} read something else",
            self.way.name()
        );
    }

    fn round(&self, file: &File) -> u64 {
        match self.way {
            Way::Read(bytes) => (0..self.passes).map(|_| self.by_read(file, bytes)).sum(),
            Way::Pread(bytes) => (0..self.passes).map(|_| self.by_pread(file, bytes)).sum(),
            Way::Fresh { flag, advice } => {
                let map = self.map(file, flag);
                if let Some(advice) = advice {
                    map.advise(advice).expect("the advice is known");
                }
                (0..self.passes).map(|_| sum_of(&map)).sum()
            }
            Way::Reused => {
                let map = self.kept.as_ref().expect("it was mapped before");
                (0..self.passes).map(|_| sum_of(map)).sum()
            }
            Way::Copied => {
                let map = self.map(file, 0);
                (0..self.passes).map(|_| self.by_memcpy(&map)).sum()
            }
            Way::OurCopy => self.by_view(&MapOptions::new().unguarded(), file),
            Way::OurGuardedCopy => self.by_view(&MapOptions::new(), file),
        }
    }

    fn by_read(&self, file: &File, bytes: usize) -> u64 {
        // SAFETY: numbers only.
        assert_eq!(unsafe { libc::lseek(file.as_raw_fd(), 0, libc::SEEK_SET) }, 0);
        let mut total = 0;
        loop {
            let to = self.buffer.start();
            // SAFETY: the buffer has at least `bytes` bytes, and nobody else uses it now.
            let read = unsafe { libc::read(file.as_raw_fd(), to.cast(), bytes) };
            match usize::try_from(read) {
                Ok(0) => return total,
                // SAFETY: they have just been read.
                Ok(read) => total += unsafe { sum::at(to, read) },
                Err(_) => panic!("read: {}", Errno::last()),
            }
        }
    }

    fn by_pread(&self, file: &File, bytes: usize) -> u64 {
        let (mut total, mut at) = (0, 0);
        loop {
            let (to, offset) = (self.buffer.start(), at as libc::off_t);
            // SAFETY: as for `by_read`.
            let read = unsafe { libc::pread(file.as_raw_fd(), to.cast(), bytes, offset) };
            match usize::try_from(read) {
                Ok(0) => return total,
                Ok(read) => {
                    // SAFETY: they have just been read.
                    total += unsafe { sum::at(to, read) };
                    at += read;
                }
                Err(_) => panic!("pread: {}", Errno::last()),
            }
        }
    }

    fn by_memcpy(&self, map: &Map) -> u64 {
        let copy = |at: usize| {
            let len = USUAL_BUFFER.min(map.len() - at);
            // SAFETY: inside the mapping; the buffer is as long; the file has no name, so nobody
            // writes it; the two do not overlap.
            unsafe {
                std::ptr::copy_nonoverlapping(map.start().add(at), self.buffer.start(), len);
                sum::at(self.buffer.start(), len)
            }
        };
        (0..map.len()).step_by(USUAL_BUFFER).map(copy).sum()
    }

    fn by_view(&self, options: &MapOptions, file: &File) -> u64 {
        let mapping = options.map(file).expect("the file is there");
        let pass = |mapping: &Mapping| -> u64 {
            let view = mapping.view().expect("nobody cuts it");
            let copy = |at: usize| {
                // SAFETY: nobody else uses the buffer now.
                let to = unsafe { self.buffer.part(USUAL_BUFFER.min(mapping.len() - at)) };
                view.read(at, to).expect("nobody cuts it");
                sum::of(to)
            };
            (0..mapping.len()).step_by(USUAL_BUFFER).map(copy).sum()
        };
        (0..self.passes).map(|_| pass(&mapping)).sum()
    }

    fn map(&self, file: &File, flag: i32) -> Map {
        let flags = libc::MAP_SHARED | flag;
        Map::of_file(file, self.source.len(), libc::PROT_READ, flags).expect("the file is there")
    }
}

fn sum_of(map: &Map) -> u64 {
    // SAFETY: the file is as long as the mapping and has no name: nobody cuts or writes it.
    unsafe { sum::at(map.start(), map.len()) }
}
