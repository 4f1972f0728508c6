//! A guard page behind a buffer: an overflow is a fault at the exact byte.
//!
//! ```text
//!        page n                     page n + 1
//!   |............[ the buffer     ]|  closed   |
//!                ▲               ▲ ▲
//!                0         len - 1 len: the first byte too many is on the closed page
//! ```
//!
//! After Bruce Perens' Electric Fence (1987). The buffer ends where its page ends; so it begins
//! where it begins, aligned to nothing unless its length is.

use std::fmt;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use ipc_common::view::WriteView;
use ipc_common::{Errno, Error, PageSize, Result};

use super::written::protocol::{self, CLEAN};
use crate::explain::bytes;
use crate::fault::{Access, Cause, Fault};
use crate::handler::Guard;
use crate::region::{Protection, Region};
use crate::table::{Answer, OnFault, Registration, Turn};

/// What becomes of a program that runs over the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOverflow {
    /// It dies of SIGSEGV at the very instruction, for a debugger or a core dump to see.
    Die,
    /// The overflow is noted for [`GuardedBuffer::take_overflow`], and the page behind is opened:
    /// the program goes on, and what it writes there harms nobody.
    GoOn,
}

/// The first access that ran over the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// The byte that was accessed, counted from the start of the buffer: at least its length. An
    /// access of several bytes that begins inside and ends outside counts with its first byte
    /// outside.
    pub offset: usize,
    /// How many bytes the buffer has.
    pub len: usize,
    /// Reading or writing.
    pub access: Access,
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let did = match self.access {
            Access::Read => "read",
            Access::Write => "written",
            _ => "accessed",
        };
        let Overflow { offset, len, .. } = self;
        let past = offset - len;
        match past {
            0 => write!(f, "byte {offset} of a {len}-byte buffer was {did}: just past its end"),
            _ => {
                let past = bytes(past as u64);
                write!(f, "byte {offset} of a {len}-byte buffer was {did}: {past} past its end")
            }
        }
    }
}

/// A buffer for code that one does not trust to stay inside: C functions, above all, which are
/// given [`GuardedBuffer::as_ptr`].
///
/// ```
/// use segv_guard::uses::{GuardedBuffer, OnOverflow};
///
/// let buffer = GuardedBuffer::new(segv_guard::install()?, 16, OnOverflow::GoOn)?;
/// // The lecture's mistake: `strcpy` takes what it is given.
/// // SAFETY: the bytes past the end land on the guard page.
/// unsafe { libc::strcpy(buffer.as_ptr().cast(), c"seventeen letters".as_ptr()) };
///
/// let overflow = buffer.take_overflow()?.unwrap();
/// assert_eq!(overflow.len, 16);
/// assert!(overflow.to_string().starts_with("byte 16 of a 16-byte buffer was written"));
/// assert_eq!(buffer.view().read_vec(0, 16)?, b"seventeen letter");
/// # Ok::<(), ipc_common::Error>(())
/// ```
pub struct GuardedBuffer {
    _range: Registration,
    state: Arc<State>,
    /// One caller of [`GuardedBuffer::take_overflow`] at a time.
    taking: Mutex<()>,
}

struct State {
    /// The last page is the guard.
    region: Region,
    len: usize,
    on_overflow: OnOverflow,
    /// The first overflow: 0, or the distance from the end, shifted left by two, with the access
    /// in the two bits, plus 4.
    first: AtomicU64,
    /// Of the guard page, as in write tracking, where the order is proved: never open while CLEAN.
    mark: AtomicU8,
}

impl GuardedBuffer {
    /// A buffer of `len` zeros.
    ///
    /// # Errors
    ///
    /// As for [`Region::new`].
    pub fn new(guard: Guard, len: usize, on_overflow: OnOverflow) -> Result<GuardedBuffer> {
        let page = PageSize::system();
        let too_large =
            || Error::refused("GuardedBuffer::new", Errno::ENOMEM, format!("{len} bytes"));
        let guard_start = page.round_up(len.max(1)).ok_or_else(too_large)?;
        let whole = guard_start.checked_add(page.bytes()).ok_or_else(too_large)?;
        let region = Region::new(whole)?;
        let last = region.pages() - 1;
        region.protect(last..last + 1, Protection::Closed)?;
        let (start, size) = (region.address() + guard_start, page.bytes());
        let (first, mark) = (AtomicU64::new(0), AtomicU8::new(CLEAN));
        let state = Arc::new(State { region, len, on_overflow, first, mark });
        // After the copies: a probe or a view that runs over the end wants its error.
        let range = guard.register(start, size, Turn::AfterCopies, state.clone())?;
        Ok(GuardedBuffer { _range: range, state, taking: Mutex::new(()) })
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.state.len
    }

    /// Whether there are none: then every access is an overflow.
    pub fn is_empty(&self) -> bool {
        self.state.len == 0
    }

    /// The first byte. What may be done by it is what may be done by a view: there are no
    /// references to this memory.
    pub fn as_ptr(&self) -> *mut u8 {
        self.state.start().as_ptr()
    }

    /// The memory, for those who stay inside.
    pub fn view(&self) -> WriteView<'_> {
        // SAFETY: the `len` bytes before the guard page are in the region, which is borrowed with
        // `self`; only views and raw pointers reach them.
        unsafe { WriteView::new(self.state.start(), self.len()) }
    }

    /// The first overflow since the last call; the guard page is closed again.
    ///
    /// One that is just happening on another thread may be reported by this call and by the next.
    ///
    /// # Errors
    ///
    /// Those of mprotect(2); the next call then reports what this one would have.
    pub fn take_overflow(&self) -> Result<Option<Overflow>> {
        let State { region, len, on_overflow, first, mark } = &*self.state;
        let _one_at_a_time = self.taking.lock().unwrap_or_else(PoisonError::into_inner);
        let mut noted = match on_overflow {
            OnOverflow::Die => first.swap(0, Relaxed),
            // What counts if a handler has the page in hand: it is not closed then, and stays noted.
            OnOverflow::GoOn => first.load(Relaxed),
        };
        let mut failed = None;
        protocol::collect(
            slice::from_ref(mark),
            |_| {},
            || {
                // The page is in our hands: nobody else notes an overflow, or forgets one.
                let last = region.pages() - 1;
                failed = region.try_protect(last..last + 1, Protection::Closed).err();
                if failed.is_none() {
                    noted = first.swap(0, Relaxed);
                }
                failed.is_none()
            },
        );
        if let Some(errno) = failed {
            return Err(Error::new("mprotect", errno, format!("the guard page of {self:?}")));
        }
        Ok(noted.checked_sub(4).map(|noted| Overflow {
            offset: len + (noted >> 2) as usize,
            len: *len,
            access: Access::from_number((noted & 3) as u32),
        }))
    }
}

impl State {
    fn guard_start(&self) -> usize {
        self.region.len() - self.region.page_size().bytes()
    }

    fn start(&self) -> NonNull<u8> {
        // SAFETY: the guard page begins inside the region, and `len` bytes before it, too.
        unsafe { self.region.start().byte_add(self.guard_start() - self.len) }
    }
}

// SAFETY: an atomic, and mprotect(2) of a page that nobody is to use.
unsafe impl OnFault for State {
    fn on_fault(&self, fault: &Fault) -> Answer {
        let end = self.region.address() + self.guard_start();
        let past = fault.address().and_then(|address| address.checked_sub(end));
        let (Some(past), Cause::Protection) = (past, fault.cause()) else { return Answer::NotMine };
        let noted = ((past as u64) << 2 | u64::from(fault.access() as u32)) + 4;
        // Fails if there is one already: only the first counts.
        let note = || self.first.compare_exchange(0, noted, Relaxed, Relaxed);
        if self.on_overflow == OnOverflow::Die {
            let _ = note();
            return Answer::NotMine;
        }
        let last = self.region.pages() - 1;
        let opened = protocol::write_fault(&self.mark, || {
            let is_first = note().is_ok();
            let opened = self.region.try_protect(last..last + 1, Protection::Open).is_ok();
            if is_first && !opened {
                self.first.store(0, Relaxed);
            }
            opened
        });
        match opened {
            protocol::Fault::Opened => Answer::Mended,
            protocol::Fault::Elsewhere => Answer::Retry,
            protocol::Fault::NoRoom => Answer::NotMine,
        }
    }
}

impl fmt::Debug for GuardedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuardedBuffer({:p}, {} bytes)", self.as_ptr(), self.len())
    }
}
