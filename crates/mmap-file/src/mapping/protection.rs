//! What may be done with a mapping's bytes, and who sees it. Slide "mmap options".

use std::fmt;

use nix::sys::mman::{MapFlags, ProtFlags};

/// What this process may do with the bytes. A breach is SIGSEGV.
///
/// Of the eight combinations of PROT_READ, PROT_WRITE and PROT_EXEC these four are of use. Write
/// without read does not exist in x86-64 or aarch64 page tables (the kernel grants reading too),
/// and write together with execute is how overflows become programs: write first, then
/// [`protect`](super::Mapping::protect).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Protection {
    /// `PROT_NONE`: nothing. The addresses are taken, and every touch is SIGSEGV.
    None,
    /// `PROT_READ`.
    #[default]
    Read,
    /// `PROT_READ | PROT_WRITE`. Shared, it needs a file opened for reading and writing.
    ReadWrite,
    /// `PROT_READ | PROT_EXEC`: how the loader maps the code of programs and libraries.
    ReadExec,
}

impl Protection {
    /// Whether bytes can be looked at.
    #[inline]
    pub fn can_read(self) -> bool {
        self != Protection::None
    }

    /// Whether bytes can be changed.
    #[inline]
    pub fn can_write(self) -> bool {
        self == Protection::ReadWrite
    }

    pub(crate) fn flags(self) -> ProtFlags {
        match self {
            Protection::None => ProtFlags::PROT_NONE,
            Protection::Read => ProtFlags::PROT_READ,
            Protection::ReadWrite => ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
            Protection::ReadExec => ProtFlags::PROT_READ | ProtFlags::PROT_EXEC,
        }
    }
}

/// In words: `none`, `read`, `read write`, `read exec`.
impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protection::None => "none",
            Protection::Read => "read",
            Protection::ReadWrite => "read write",
            Protection::ReadExec => "read exec",
        })
    }
}

/// Who sees what is changed. mmap(2) wants exactly one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Sharing {
    /// `MAP_SHARED`: everyone who maps or reads the file, at once; and the file keeps it.
    #[default]
    Shared,
    /// `MAP_PRIVATE`: this process only. The first write to a page copies the page. Whether a
    /// page that was not yet copied shows later changes of the file is unspecified (mmap(2));
    /// Linux shows them.
    Private,
}

impl Sharing {
    pub(crate) fn flags(self) -> MapFlags {
        match self {
            Sharing::Shared => MapFlags::MAP_SHARED,
            Sharing::Private => MapFlags::MAP_PRIVATE,
        }
    }
}

/// `shared` or `private`.
impl fmt::Display for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sharing::Shared => "shared",
            Sharing::Private => "private",
        })
    }
}

/// What the kernel is told about how the bytes will be used (madvise(2)). None of these changes
/// a byte.
///
/// `MADV_DONTFORK` is not here, though memmap2 counts it as safe: after a fork the child's
/// `Mapping` would name addresses at which anything may be mapped later, and unmap that on drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Advice {
    /// Nothing special: read ahead a little.
    Normal,
    /// In no order: do not read ahead. `rr` in the VmFlags of smaps.
    Random,
    /// From front to back: read far ahead. `sr` in the VmFlags of smaps.
    Sequential,
    /// Soon: start reading now.
    WillNeed,
    /// Map the pages now, for reading. `EFAULT` instead of a later SIGBUS if the file is too
    /// short (Linux 5.14).
    PopulateRead,
    /// Map the pages now, for writing (Linux 5.14).
    PopulateWrite,
    /// Leave it out of core dumps.
    DontDump,
    /// Put it into core dumps again.
    DoDump,
}

impl Advice {
    pub(crate) fn raw(self) -> libc::c_int {
        match self {
            Advice::Normal => libc::MADV_NORMAL,
            Advice::Random => libc::MADV_RANDOM,
            Advice::Sequential => libc::MADV_SEQUENTIAL,
            Advice::WillNeed => libc::MADV_WILLNEED,
            Advice::PopulateRead => libc::MADV_POPULATE_READ,
            Advice::PopulateWrite => libc::MADV_POPULATE_WRITE,
            Advice::DontDump => libc::MADV_DONTDUMP,
            Advice::DoDump => libc::MADV_DODUMP,
        }
    }
}
