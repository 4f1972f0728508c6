//! shmat(2) and shmdt(2): memory that is mapped for as long as this value lives.

use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use ipc_common::view::{ReadView, WriteView};
use ipc_common::{Errno, Error, Result, stack};
use libc::c_void;

use super::shm;
use crate::segment::Place;

/// A segment in this process's address space, detached on drop. `WRITABLE` says how it was
/// attached; only `Attachment<true>` has [`Attachment::write_view`].
pub(crate) struct Attachment<const WRITABLE: bool> {
    start: NonNull<u8>,
    len: usize,
    /// This value stands for the mapping, as a `Box` stands for its memory.
    memory: PhantomData<ReadView<'static>>,
}

// SAFETY: a mapping belongs to the process, not to a thread. Any thread may detach it, and views
// of it are Send themselves.
unsafe impl<const WRITABLE: bool> Send for Attachment<WRITABLE> {}
// SAFETY: through `&Attachment` there are only views, which are Sync.
unsafe impl<const WRITABLE: bool> Sync for Attachment<WRITABLE> {}

impl<const WRITABLE: bool> Attachment<WRITABLE> {
    /// Attaches segment `id`.
    pub(crate) fn new(id: i32, place: Place) -> Result<Self> {
        let (address, rounding) = match place {
            Place::Anywhere => (0, 0),
            Place::At(address) => (address, 0),
            Place::RoundedDown(address) => (address, libc::SHM_RND),
        };
        let about = || match place {
            Place::Anywhere => format!("segment {id}"),
            Place::At(_) | Place::RoundedDown(_) => format!("segment {id} at {address:#x}"),
        };
        // The kernel takes a plain 0 for "anywhere". But what SHM_RND rounds down to 0 it maps at
        // page 0, if the caller is root: null pointers would point at something.
        if place != Place::Anywhere && address < page_size() {
            return Err(Error::refused("shmat", Errno::EINVAL, about())
                .with_remedy("nothing is ever attached in the first page, where null points; choose another address"));
        }
        // The kernel asks whether the range is free, but the gap below the stack only looks so. At
        // this point the size may still be that of an earlier owner of the id; hence the second
        // look below.
        if place != Place::Anywhere {
            stack::keep_clear("shmat", address, shm::stat(id)?.size)?;
        }
        let access = if WRITABLE { 0 } else { libc::SHM_RDONLY };
        // SAFETY: without SHM_REMAP the kernel never replaces what is mapped (a taken address gives
        // EINVAL), and `keep_clear` has kept us out of where the stack will be; so no memory that
        // somebody uses, or will use without asking, changes.
        let start = unsafe {
            libc::shmat(id, ptr::without_provenance::<c_void>(address), access | rounding)
        };
        let Some(start) = NonNull::new(start.cast::<u8>()).filter(|start| start.addr() != MAX)
        else {
            return Err(Error::new("shmat", Errno::last(), about()));
        };
        let mut attached = Attachment { start, len: 0, memory: PhantomData };
        // Only now: as long as we are attached, the id cannot come to mean another segment, and
        // the size of a segment never changes. If this fails, Drop detaches.
        attached.len = shm::stat(id)?.size;
        if place != Place::Anywhere {
            stack::keep_clear("shmat", attached.start.addr().get(), attached.len)?;
        }
        Ok(attached)
    }

    /// The bytes of the segment. (The mapping runs on to the end of the page; those bytes are
    /// shared and writable too, but no part of the segment.)
    pub(crate) fn read_view(&self) -> ReadView<'_> {
        // SAFETY: the kernel mapped at least `len` bytes, readable; `self` keeps them mapped, and
        // is borrowed for the view's lifetime. This crate makes no references to them, and nobody
        // else in this process learns the address but through views.
        unsafe { ReadView::new(self.start, self.len) }
    }

    /// Detaches, and says whether that worked.
    pub(crate) fn detach(self) -> Result<()> {
        let result = self.shmdt();
        std::mem::forget(self);
        result
    }

    fn shmdt(&self) -> Result<()> {
        // SAFETY: `start` is where `shmat` attached, and every view of it is gone, since they
        // borrow from `self`, which is on its way out.
        match unsafe { libc::shmdt(self.start.as_ptr().cast::<c_void>()) } {
            -1 => Err(Error::new("shmdt", Errno::last(), format!("address {:p}", self.start))),
            _ => Ok(()),
        }
    }
}

impl Attachment<true> {
    /// The bytes of the segment, to change.
    pub(crate) fn write_view(&self) -> WriteView<'_> {
        // SAFETY: as in `read_view`; and without SHM_RDONLY the pages are writable.
        unsafe { WriteView::new(self.start, self.len) }
    }
}

impl<const WRITABLE: bool> Drop for Attachment<WRITABLE> {
    fn drop(&mut self) {
        // It fails only if somebody else detached here; then it is detached, as it should be.
        let _ = self.shmdt();
    }
}

/// `(void *) -1`, by which shmat(2) says that it failed; the lecture's one-line call ignores it.
const MAX: std::num::NonZero<usize> = std::num::NonZero::<usize>::MAX;

fn page_size() -> usize {
    ipc_common::PageSize::system().bytes()
}
