//! shmat and shmdt. Slide "Access to shared memory requires an attach".
//!
//! Attached read-only and read-write are different types, so that a reader cannot write, not even
//! by mistake: a write to a read-only attachment would raise SIGSEGV.
//!
//! ```compile_fail,E0599
//! # use sysv_shm::Segment;
//! fn scribble(segment: Segment) {
//!     segment.attach_read().unwrap().view().fill(0, 1, b'x').unwrap();
//! }
//! ```
//! ```no_run
//! # use sysv_shm::Segment;
//! fn scribble(segment: Segment) {
//!     segment.attach_write().unwrap().view().fill(0, 1, b'x').unwrap();
//! }
//! ```

use std::fmt;

use ipc_common::view::{ReadView, WriteView};
use ipc_common::{Errno, Error, Result};

use super::{Segment, explain};
use crate::sys::Attachment;

/// Where in this process's address space a segment is to appear.
///
/// Another process sees it at another address, whatever you choose: shared memory holds offsets,
/// never pointers. Nothing that is mapped is ever replaced (`SHM_REMAP` is not offered).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Place {
    /// Where the kernel likes: the right choice nearly always.
    #[default]
    Anywhere,
    /// At this address, a multiple of the page size.
    At(usize),
    /// At this address, rounded down to a multiple of `SHMLBA` (the page size on Linux, x86-64 and
    /// aarch64): `SHM_RND`.
    RoundedDown(usize),
}

/// A segment attached with `SHM_RDONLY`. Detached on drop, when the process ends, and on exec.
pub struct AttachedRead {
    segment: Segment,
    attachment: Attachment<false>,
}

/// A segment attached for reading and writing. Detached on drop, when the process ends, and on
/// exec.
pub struct AttachedWrite {
    segment: Segment,
    attachment: Attachment<true>,
}

impl Segment {
    /// Attaches it read-only, for which read permission is enough.
    ///
    /// # Errors
    ///
    /// `EACCES` if its mode keeps us out; `EINVAL` or `EIDRM` if it is gone; `ENOMEM` if there is
    /// no room in our address space (`ulimit -v`, `vm.max_map_count`).
    pub fn attach_read(self) -> Result<AttachedRead> {
        self.attach_read_at(Place::Anywhere)
    }

    /// Attaches it for reading and writing; takes read and write permission.
    ///
    /// # Errors
    ///
    /// Those of [`Segment::attach_read`].
    pub fn attach_write(self) -> Result<AttachedWrite> {
        self.attach_write_at(Place::Anywhere)
    }

    /// [`Segment::attach_read`] at a chosen place.
    ///
    /// # Errors
    ///
    /// Also `EEXIST` in the gap below the stack; `EINVAL` if something is mapped there, the address is not aligned, or it lies in the
    /// first page; `EPERM` below `vm.mmap_min_addr`.
    pub fn attach_read_at(self, place: Place) -> Result<AttachedRead> {
        let attachment =
            Attachment::new(self.id, place).map_err(|error| self.at(place, error, "read it"))?;
        Ok(AttachedRead { segment: self, attachment })
    }

    /// [`Segment::attach_write`] at a chosen place.
    ///
    /// # Errors
    ///
    /// Those of [`Segment::attach_read_at`].
    pub fn attach_write_at(self, place: Place) -> Result<AttachedWrite> {
        let attachment = Attachment::new(self.id, place)
            .map_err(|error| self.at(place, error, "write to it"))?;
        Ok(AttachedWrite { segment: self, attachment })
    }

    fn at(self, place: Place, error: Error, purpose: &str) -> Error {
        explain::shut_out(explain_einval(place, error), self.id, purpose)
    }
}

/// `EINVAL` means the id if no address was given, and most likely the address if one was.
fn explain_einval(place: Place, error: Error) -> Error {
    if !error.is_from_kernel() || error.call() != "shmat" || error.errno() != Errno::EINVAL {
        return error;
    }
    match place {
        Place::Anywhere => error.with_remedy(
            "there is no segment with this id (any more): it was removed, or never was; look at `ipcs -m`",
        ),
        Place::At(_) => error.with_remedy(
            "something is mapped there already, the address is not a multiple of the page size (SHM_RND rounds it down), or the segment is gone",
        ),
        Place::RoundedDown(_) => error.with_remedy(
            "something is mapped there already, or the segment is gone; let the kernel choose the address",
        ),
    }
}

impl AttachedRead {
    /// The segment's memory. Its length is that of the segment, not of its pages.
    pub fn view(&self) -> ReadView<'_> {
        self.attachment.read_view()
    }

    /// The segment.
    pub fn segment(&self) -> Segment {
        self.segment
    }

    /// Detaches, as dropping does, and says whether that worked.
    ///
    /// # Errors
    ///
    /// `EINVAL` if foreign code in this process has unmapped it already.
    pub fn detach(self) -> Result<()> {
        self.attachment.detach()
    }
}

impl AttachedWrite {
    /// The segment's memory. Its length is that of the segment, not of its pages.
    pub fn view(&self) -> WriteView<'_> {
        self.attachment.write_view()
    }

    /// The segment.
    pub fn segment(&self) -> Segment {
        self.segment
    }

    /// Detaches, as dropping does, and says whether that worked.
    ///
    /// # Errors
    ///
    /// Those of [`AttachedRead::detach`].
    pub fn detach(self) -> Result<()> {
        self.attachment.detach()
    }
}

impl fmt::Debug for AttachedRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttachedRead({}, {:?})", self.segment.id, self.view())
    }
}

impl fmt::Debug for AttachedWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttachedWrite({}, {:?})", self.segment.id, self.view())
    }
}
