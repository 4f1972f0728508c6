//! Kinds of memory, mapped and untouched.

use std::fs::File;

use benches::files::{Pieces, Place, Plan};
use benches::raw::{Map, Segment, load_each, store_each};
use ipc_common::{PageSize, Result};

/// A kind of memory, and whether its first touch is a load or a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// New memory, zeroed when first stored to.
    Anonymous,
    /// New memory that is only looked at: all its pages are one page of zeros.
    Zeros,
    /// New memory, shared with children: tmpfs without a name.
    AnonymousShared,
    /// New memory in huge pages, if the kernel finds some (madvise(2), MADV_HUGEPAGE).
    Huge,
    /// New memory in huge pages that were set aside (MAP_HUGETLB).
    HugeTlb,
    /// A file in memory, looked at.
    FileLoad,
    /// A file in memory whose pages are as on the disk, stored to: MAP_SHARED.
    FileStore,
    /// A file in memory, stored to in a private mapping: each page is copied.
    PrivateStore,
    /// A System V segment that nobody has touched yet.
    NewSegment,
    /// A System V segment whose pages are there, attached anew.
    OldSegment,
}

pub const KINDS: [Kind; 10] = [
    Kind::Anonymous,
    Kind::Zeros,
    Kind::AnonymousShared,
    Kind::Huge,
    Kind::HugeTlb,
    Kind::FileLoad,
    Kind::FileStore,
    Kind::PrivateStore,
    Kind::NewSegment,
    Kind::OldSegment,
];

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Anonymous => "anonymous, store",
            Kind::Zeros => "anonymous, load",
            Kind::AnonymousShared => "anonymous shared, store",
            Kind::Huge => "anonymous, MADV_HUGEPAGE, store",
            Kind::HugeTlb => "anonymous, MAP_HUGETLB, store",
            Kind::FileLoad => "file, load",
            Kind::FileStore => "file, store to clean pages",
            Kind::PrivateStore => "file, MAP_PRIVATE, store",
            Kind::NewSegment => "System V, new segment, store",
            Kind::OldSegment => "System V, pages there, store",
        }
    }

    fn loads(self) -> bool {
        matches!(self, Kind::Zeros | Kind::FileLoad)
    }

    pub fn is_file(self) -> bool {
        matches!(self, Kind::FileLoad | Kind::FileStore | Kind::PrivateStore)
    }
}

/// Memory of a kind, in which no page has been touched through this mapping.
pub struct Memory {
    owner: Owner,
    start: *mut u8,
    len: usize,
    loads: bool,
}

/// Held, not looked at: what the touch needs is the address.
enum Owner {
    Map(#[expect(dead_code, reason = "unmapped on drop")] Map),
    Segment(#[expect(dead_code, reason = "detached on drop")] Segment),
}

/// Makes memory of a kind again and again. Keeps what lasts: the file.
pub struct Maker<'a> {
    place: &'a Place,
    kind: Kind,
    len: usize,
    file: Option<File>,
}

impl<'a> Maker<'a> {
    pub fn new(place: &'a Place, kind: Kind, len: usize) -> Maker<'a> {
        Maker { place, kind, len, file: None }
    }

    /// Fresh memory.
    pub fn fresh(&mut self) -> Result<Memory> {
        let (len, private) = (self.len, libc::MAP_PRIVATE);
        let loads = self.kind.loads();
        let (owner, start) = match self.kind {
            Kind::Anonymous | Kind::Zeros => {
                // Huge pages that come unasked ("always") would be measured as small ones.
                small_pages(Map::anonymous(len, private)?)
            }
            Kind::AnonymousShared => small_pages(Map::anonymous(len, libc::MAP_SHARED)?),
            Kind::Huge => {
                let huge = huge_page();
                // Begun somewhere in a huge page, so with room to begin at the next one.
                let map = Map::anonymous(len + huge, private)?;
                map.advise(libc::MADV_HUGEPAGE)?;
                let start = map.start().map_addr(|start| start.next_multiple_of(huge));
                (Owner::Map(map), start)
            }
            Kind::HugeTlb => {
                let map =
                    Map::anonymous(len.next_multiple_of(huge_page()), private | libc::MAP_HUGETLB)?;
                let start = map.start();
                (Owner::Map(map), start)
            }
            Kind::FileLoad | Kind::FileStore => {
                let map = self.file_map(libc::MAP_SHARED)?;
                let start = map.start();
                (Owner::Map(map), start)
            }
            Kind::PrivateStore => {
                let map = self.file_map(private)?;
                let start = map.start();
                (Owner::Map(map), start)
            }
            Kind::NewSegment => {
                let segment = Segment::new(len)?;
                let start = segment.start();
                (Owner::Segment(segment), start)
            }
            Kind::OldSegment => {
                let [touched, segment] = Segment::twice(len)?;
                // SAFETY: all of it is ours and writable.
                unsafe { store_each(touched.start(), len, PageSize::system().bytes()) };
                let start = segment.start();
                (Owner::Segment(segment), start)
            }
        };
        Ok(Memory { owner, start, len, loads })
    }

    fn file_map(&mut self, flags: i32) -> Result<Map> {
        if self.file.is_none() {
            // In small pieces, so that no large folio makes one fault of many.
            let plan = Plan { bytes: self.len as u64, pieces: Pieces::Small };
            self.file = Some(plan.make(self.place)?.0);
        }
        let file = self.file.as_ref().expect("it has just been made");
        if self.kind == Kind::FileStore {
            // Clean again after the round before; every store is then news to the kernel.
            file.sync_all()
                .map_err(|error| ipc_common::Error::from_io("fsync", &error, "a file"))?;
        }
        Map::of_file(file, self.len, libc::PROT_READ | libc::PROT_WRITE, flags)
    }
}

impl Memory {
    /// One byte of each page (of 4 KiB, say, also where pages are huge).
    pub fn touch(&self) {
        let step = PageSize::system().bytes();
        // SAFETY: the owner's memory, which lives as long as this; a file's mapping is as long as the
        // file; nobody has references.
        unsafe {
            if self.loads {
                std::hint::black_box(load_each(self.start, self.len, step));
            } else {
                store_each(self.start, self.len, step);
            }
        }
        let _ = &self.owner;
    }
}

/// A huge page's size, where huge pages come unasked or by madvise(2).
pub fn huge_page() -> usize {
    std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(2 << 20)
}

fn small_pages(map: Map) -> (Owner, *mut u8) {
    // A kernel without huge pages knows no such advice, and needs none.
    let _ = map.advise(libc::MADV_NOHUGEPAGE);
    let start = map.start();
    (Owner::Map(map), start)
}
