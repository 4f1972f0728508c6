//! Who writes, and when it counts as done.

/// How the bytes get into the page cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// pwrite(2).
    Write,
    /// Stores through a new mapping, unmapped afterwards; with this flag of mmap(2) besides.
    Fresh(i32),
    /// Stores through a mapping that is kept from round to round.
    Reused,
    /// Our library: a new mapping each round, written through its view.
    OurFresh,
    /// Our library, a mapping that is kept.
    OurReused,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing: others see the bytes at once, and a power cut takes them.
    Nothing,
    /// msync(2), MS_ASYNC: a wish that Linux has not acted upon since 2.6.19.
    MsAsync,
    /// msync(2), MS_SYNC: the pages of this range, and the file's size.
    MsSync,
    /// fsync(2): all of the file.
    Fsync,
    /// fdatasync(2): all of the file but what nobody needs to read it again.
    Fdatasync,
}

/// A contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub by: By,
    pub wait: Wait,
}

const fn way(by: By, wait: Wait) -> Way {
    Way { by, wait }
}

/// Done when others see it. The first is what the others are compared with.
pub const QUICKLY: [Way; 8] = [
    way(By::Write, Wait::Nothing),
    way(By::Fresh(0), Wait::Nothing),
    way(By::Fresh(libc::MAP_POPULATE), Wait::Nothing),
    way(By::Reused, Wait::Nothing),
    way(By::Fresh(0), Wait::MsAsync),
    way(By::Reused, Wait::MsAsync),
    way(By::OurFresh, Wait::Nothing),
    way(By::OurReused, Wait::Nothing),
];

/// Done when it is on the disk.
pub const DURABLE: [Way; 9] = [
    way(By::Write, Wait::Fdatasync),
    way(By::Write, Wait::Fsync),
    way(By::Fresh(0), Wait::MsSync),
    way(By::Fresh(0), Wait::Fdatasync),
    way(By::Fresh(0), Wait::Fsync),
    way(By::Reused, Wait::MsSync),
    way(By::Reused, Wait::Fdatasync),
    way(By::Reused, Wait::Fsync),
    way(By::OurReused, Wait::MsSync),
];

impl Way {
    pub fn name(self) -> &'static str {
        match (self.by, self.wait) {
            (By::Write, Wait::Nothing) => "write",
            (By::Write, Wait::Fdatasync) => "write, fdatasync",
            (By::Write, Wait::Fsync) => "write, fsync",
            (By::Write, Wait::MsAsync | Wait::MsSync) => unreachable!("there is no mapping"),
            (By::Fresh(0), Wait::Nothing) => "mmap, fresh",
            (By::Fresh(0), Wait::MsAsync) => "mmap, fresh, MS_ASYNC",
            (By::Fresh(0), Wait::MsSync) => "mmap, fresh, MS_SYNC",
            (By::Fresh(0), Wait::Fsync) => "mmap, fresh, fsync",
            (By::Fresh(0), Wait::Fdatasync) => "mmap, fresh, fdatasync",
            (By::Fresh(_), _) => "mmap, MAP_POPULATE",
            (By::Reused, Wait::Nothing) => "mmap, reused",
            (By::Reused, Wait::MsAsync) => "mmap, reused, MS_ASYNC",
            (By::Reused, Wait::MsSync) => "mmap, reused, MS_SYNC",
            (By::Reused, Wait::Fsync) => "mmap, reused, fsync",
            (By::Reused, Wait::Fdatasync) => "mmap, reused, fdatasync",
            (By::OurFresh, _) => "mmap_file, fresh",
            (By::OurReused, Wait::Nothing) => "mmap_file, reused",
            (By::OurReused, _) => "mmap_file, reused, flush",
        }
    }

    pub fn keeps_a_mapping(self) -> bool {
        matches!(self.by, By::Reused | By::OurReused)
    }
}
