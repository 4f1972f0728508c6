//! Reading all of a mapped file.
//!
//! The same work on both sides: the bytes are copied out in pieces into one buffer, and the buffer
//! is summed. Our views copy because another process may write the bytes meanwhile; who is careless
//! sums them where they are, and is shown beside.

use std::cell::Cell;
use std::hint::black_box;
use std::os::fd::AsRawFd;
use std::ptr;

use ipc_common::view::ReadView;

use super::map::{options, path};
use super::{On, Who, Work, by_hand};
use crate::raw::Buffer;
use crate::sum;

/// How much is copied at once.
const PIECE: usize = 64 << 10;

/// A buffer of `len` bytes in the one room of this process, a little further on each time: what a
/// place costs, modulo 4096, is neither side's merit ([`at_places`](crate::at_places)).
fn buffer(len: usize) -> &'static mut [u8] {
    /// A multiple of a cache line, and no divisor of 4096.
    const STEP: usize = 832;
    const TURN: usize = 4096;
    thread_local! {
        static ROOM: (&'static Buffer, Cell<usize>) = {
            let room = Buffer::new(PIECE + TURN).expect("there is memory");
            (Box::leak(Box::new(room)), Cell::new(0))
        };
    }
    assert!(len <= PIECE);
    ROOM.with(|(room, at)| {
        at.set((at.get() + STEP) % TURN);
        // SAFETY: inside the room: less than a turn, and a piece at most. A round of work is its only
        // user while it runs, and rounds run one after another.
        unsafe { std::slice::from_raw_parts_mut(room.start().add(at.get()), len) }
    })
}

fn by_view(view: ReadView<'_>) -> u64 {
    let mut total = 0;
    for at in (0..view.len()).step_by(PIECE) {
        let piece = buffer(PIECE.min(view.len() - at));
        view.read(at, piece).expect("nobody cuts it");
        total += sum::of(piece);
    }
    total
}

/// # Safety
///
/// - There are `len` bytes at `start`, which nobody changes.
unsafe fn by_memcpy(start: *const u8, len: usize) -> u64 {
    let mut total = 0;
    for at in (0..len).step_by(PIECE) {
        let piece = buffer(PIECE.min(len - at));
        // SAFETY: the caller's promise; the buffer is elsewhere.
        unsafe { ptr::copy_nonoverlapping(start.add(at), piece.as_mut_ptr(), piece.len()) };
        total += sum::of(piece);
    }
    total
}

/// # Safety
///
/// - As for [`by_memcpy`].
unsafe fn in_place(start: *const u8, len: usize) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { sum::at(start, len) }
}

pub(super) fn fresh(who: Who, on: &On) -> Option<Work> {
    let (name, file) = (path(on), on.file.clone());
    Some(match who {
        Who::Ours | Who::Unguarded => {
            let options = options(who)?;
            Box::new(move || {
                let mapping = options.open(&file).expect("it can be mapped");
                black_box(by_view(mapping.view().expect("nobody cuts it")));
            })
        }
        Who::Bare | Who::Careless => {
            let all = if who == Who::Bare { by_memcpy } else { in_place };
            Box::new(move || {
                let fd = by_hand::open(&name);
                let len = by_hand::len(fd);
                let start = by_hand::map(fd, len, libc::PROT_READ);
                by_hand::close(fd);
                // SAFETY: mapped, until the last line; nobody changes the file.
                unsafe {
                    black_box(all(start, len));
                    by_hand::unmap(start, len);
                }
            })
        }
        Who::Memmap2 | Who::Memmap2Len => return None,
    })
}

pub(super) fn reused(who: Who, on: &On) -> Option<Work> {
    let (file, len) = (on.open(), on.len());
    Some(match who {
        Who::Ours | Who::Unguarded => {
            let mapping = options(who)?.map(&file).expect("it can be mapped");
            Box::new(move || {
                black_box(by_view(mapping.view().expect("nobody cuts it")));
            })
        }
        Who::Bare | Who::Careless => {
            let all = if who == Who::Bare { by_memcpy } else { in_place };
            let start = by_hand::map(file.as_raw_fd(), len, libc::PROT_READ);
            Box::new(move || {
                // SAFETY: mapped, and never unmapped; nobody changes the file.
                black_box(unsafe { all(start, len) });
            })
        }
        Who::Memmap2 | Who::Memmap2Len => return None,
    })
}
