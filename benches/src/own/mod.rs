//! Our own cost: the same work done through our crates, by hand with libc, and with memmap2. As a
//! closure for the clock and for who counts page faults and system calls; and in a process of its
//! own for valgrind, which counts instructions.
//!
//! "By hand" is what a careful programmer writes in C: every call is checked, the length of a file
//! is asked for before it is mapped, and that of a segment before it is used.

mod attach;
mod by_hand;
mod counted;
mod instructions;
mod map;
mod read;
mod worker;

pub use attach::Segment;
pub use counted::{Counted, counted};
pub use instructions::Valgrind;
pub use worker::is_worker;

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

/// One round of work.
pub type Work = Box<dyn FnMut()>;

/// What is done in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Nothing: what the loop around it costs.
    Nothing,
    /// Open a file by its path, map it, load a byte, unmap, close.
    Touch,
    /// Map an open file and unmap it.
    Map,
    /// Open a file, map it, copy all of it out in pieces and sum them, unmap, close.
    ReadFresh,
    /// Copy all of a mapping out in pieces and sum them, once more.
    ReadReused,
    /// msync(2) of one page.
    Sync,
    /// Attach a System V segment for reading, load a byte, detach.
    Attach,
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Our crates, as they are when nothing special is asked of them.
    Ours,
    /// Our crates, without the guard against truncation.
    Unguarded,
    /// libc by hand.
    Bare,
    /// libc by hand, and without what makes it safe: it sums the bytes where they are, and takes its
    /// chances with what other processes do to them; or does not ask how long a segment is.
    Careless,
    /// memmap2, which asks for the length by itself.
    Memmap2,
    /// memmap2, told the length.
    Memmap2Len,
}

/// What is worked on.
#[derive(Clone, Debug)]
pub struct On {
    /// A file, not empty, that can be read and written.
    pub file: PathBuf,
    /// The id of a System V segment; -1 where there is none.
    pub segment: i32,
}

impl Job {
    /// This job, done by `who`; `None` where that is not a thing to do.
    ///
    /// What is prepared, is prepared here. A round of [`Who::Ours`] that maps for the first time in
    /// this process installs the handler.
    pub fn by(self, who: Who, on: &On) -> Option<Work> {
        match self {
            Job::Nothing => Some(Box::new(|| _ = std::hint::black_box(0))),
            Job::Touch => map::touch(who, on),
            Job::Map => map::map(who, on),
            Job::Sync => map::sync(who, on),
            Job::ReadFresh => read::fresh(who, on),
            Job::ReadReused => read::reused(who, on),
            Job::Attach => attach::attach(who, on),
        }
    }
}

impl On {
    /// This open file, and this segment if there is one.
    ///
    /// Opening by path is part of what is measured, but the files of a bench have no names. So it is
    /// the path that /proc has for the descriptor, which others of this user's processes find, too.
    /// Looking it up takes the kernel longer than another path, on both sides.
    pub fn this(file: &File, segment: Option<&Segment>) -> On {
        let file = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        On { file: file.into(), segment: segment.map_or(-1, Segment::id) }
    }

    fn open(&self) -> File {
        let mut options = File::options();
        options.read(true).write(true).open(&self.file).expect("the file is there")
    }

    fn len(&self) -> usize {
        let len = std::fs::metadata(&self.file).expect("the file is there").len();
        usize::try_from(len).expect("it can be mapped")
    }
}
