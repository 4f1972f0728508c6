//! Looking at shared memory: what a reader gets, who attached read-only.

use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering, fence};

use nix::errno::Errno;

use super::landing::try_copy;
use super::{outside, replaced, stopped};
use crate::error::{Error, Result};

/// What a view looks at that nobody watches. To ask each view whether there is something to look at
/// would cost each copy a branch.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Memory that this process may read, and any process may be writing: a start and a length, with
/// every access checked against them.
///
/// Copying a view copies the start and the length, never the memory.
///
/// ```
/// use ipc_common::view::WriteView;
/// use std::sync::atomic::AtomicU32;
///
/// let memory = [const { AtomicU32::new(0) }; 8];
/// let view = WriteView::of_atomics(&memory);
/// view.write(3, b"shared")?;
///
/// let mut copy = [0; 6];
/// view.as_read().read(3, &mut copy)?;
/// assert_eq!(&copy, b"shared");
/// assert!(view.read(30, &mut copy).is_err(), "26..32 is the last place for six bytes");
/// # Ok::<(), ipc_common::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct ReadView<'a> {
    start: NonNull<u8>,
    len: usize,
    /// Whether other pages have taken the place of the memory's: [`NEVER`], if nobody does that.
    replaced: &'a AtomicBool,
    /// What the memory would be if Rust had to name it: bytes that change under us, alive for 'a.
    memory: PhantomData<&'a [AtomicU8]>,
}

// SAFETY: every access is a copy in assembly or an atomic, so threads may look at the same memory
// at once just as processes do; the memory itself stays mapped for 'a (promised to `new`).
unsafe impl Send for ReadView<'_> {}
// SAFETY: as for Send: `&ReadView` gives no more than `ReadView`, which is `Copy`.
unsafe impl Sync for ReadView<'_> {}

impl<'a> ReadView<'a> {
    /// A view of `len` bytes from `start` on.
    ///
    /// # Safety
    ///
    /// For as long as `'a`:
    /// - the `len` bytes from `start` on stay mapped and readable in this process (that a file
    ///   behind them is cut shorter is allowed: the module's page says what happens then);
    /// - no Rust reference to plain (not atomic) bytes of it is in use, `&` or `&mut`;
    /// - within this process, all other access is by views, atomics or assembly.
    ///
    /// Other processes may do what they like.
    pub const unsafe fn new(start: NonNull<u8>, len: usize) -> ReadView<'a> {
        ReadView { start, len, replaced: &NEVER, memory: PhantomData }
    }

    /// The same view of memory whose pages somebody may replace by others: the handler that keeps
    /// an atomic past the end of a truncated file from killing the process. He sets `replaced`
    /// *before* he does so.
    ///
    /// Once it is set, every function of the view is an error (`EIO`), also the one that was at it
    /// meanwhile: what it read may have been zeros, and what it wrote may be lost.
    pub const fn watched(self, replaced: &'a AtomicBool) -> ReadView<'a> {
        ReadView { replaced, ..self }
    }

    /// Whether this still is the memory that it was; see [`ReadView::watched`]. To be called after
    /// whatever was done through an atomic of [`WriteView::atomic_u32`](super::WriteView::atomic_u32)
    /// and its like, before it is taken for done. All other functions look by themselves.
    ///
    /// # Errors
    ///
    /// `EIO` if it is not.
    ///
    /// ```
    /// use ipc_common::view::WriteView;
    /// use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    ///
    /// let (memory, replaced) = ([AtomicU32::new(0)], AtomicBool::new(false));
    /// let view = WriteView::of_atomics(&memory).watched(&replaced);
    /// view.atomic_u32(0)?.fetch_add(1, Ordering::Relaxed);
    /// view.check()?;
    /// replaced.store(true, Ordering::Relaxed);
    /// assert!(view.check().is_err() && view.write(0, b"lost").is_err());
    /// # Ok::<(), ipc_common::Error>(())
    /// ```
    #[inline]
    pub fn check(self) -> Result<()> {
        self.check_for("ReadView::check")
    }

    #[inline]
    pub(super) fn check_for(self, call: &'static str) -> Result<()> {
        if self.is_replaced() { Err(replaced(call, self.len)) } else { Ok(()) }
    }

    #[inline]
    fn is_replaced(self) -> bool {
        // Whoever has seen a byte of the new pages sees the flag, which was set before. For whoever has
        // stored into them no fence here would do that cheaply: the handler that puts them there sees to
        // it (membarrier(2) between the flag and the pages).
        fence(Ordering::Acquire);
        self.replaced.load(Ordering::Relaxed)
    }

    /// How many bytes there are to see.
    pub const fn len(self) -> usize {
        self.len
    }

    /// Whether there is nothing to see.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Where the memory begins in this process. In another one it lies somewhere else, which is
    /// why no pointer belongs into shared memory: an offset does.
    pub const fn as_ptr(self) -> *const u8 {
        self.start.as_ptr()
    }

    /// The part of the view that begins at `offset` and has `len` bytes.
    ///
    /// # Errors
    ///
    /// `ERANGE` if it is not all inside.
    pub fn part(self, offset: usize, len: usize) -> Result<ReadView<'a>> {
        let start = self.place("ReadView::part", offset, len)?;
        Ok(ReadView { start, len, ..self })
    }

    /// Copies bytes out, from `offset` on, until `into` is full.
    ///
    /// # Errors
    ///
    /// - `ERANGE` if that would run past the end; nothing is copied then.
    /// - `EIO` (SIGBUS) or `EFAULT` (SIGSEGV) if a fault stopped the copy and a handler landed it;
    ///   [`Error::good_bytes`] says how many bytes were copied. `EIO` also if the memory is not what
    ///   it was ([`ReadView::watched`]).
    #[inline]
    pub fn read(self, offset: usize, into: &mut [u8]) -> Result<()> {
        let from = self.place("ReadView::read", offset, into.len())?;
        // SAFETY: `place` has checked the range, which `new`'s caller promised is readable for
        // 'a; `into` is ours alone, so the two do not overlap.
        match unsafe { try_copy(from.as_ptr(), into.as_mut_ptr(), into.len()) } {
            Ok(()) => self.check_for("ReadView::read"),
            Err(fault) => Err(stopped("ReadView::read", offset, into.len(), fault)),
        }
    }

    /// Copies `len` bytes from `offset` on into a new vector.
    ///
    /// # Errors
    ///
    /// `ERANGE` if that would run past the end, `ENOMEM` if there is no memory for the copy, `EIO`
    /// and `EFAULT` as for [`ReadView::read`].
    pub fn read_vec(self, offset: usize, len: usize) -> Result<Vec<u8>> {
        let from = self.place("ReadView::read_vec", offset, len)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).map_err(|_| {
            Error::refused("ReadView::read_vec", Errno::ENOMEM, format!("{len} bytes"))
        })?;
        // SAFETY: as in `read` for the source; the vector has room for `len` bytes, and they are
        // all written before its length says so.
        unsafe {
            try_copy(from.as_ptr(), bytes.as_mut_ptr(), len)
                .map_err(|fault| stopped("ReadView::read_vec", offset, len, fault))?;
            bytes.set_len(len);
        }
        self.check_for("ReadView::read_vec")?;
        Ok(bytes)
    }

    /// Loads the `u32` at `offset`, whole, in the byte order of this machine.
    ///
    /// # Errors
    ///
    /// `ERANGE` if it is not all inside, `EINVAL` if its address is not a multiple of 4, `EIO` if
    /// the memory is not what it was ([`ReadView::watched`]).
    ///
    /// # Panics
    ///
    /// If `order` is `Release` or `AcqRel`, which a load cannot have.
    pub fn load_u32(self, offset: usize, order: Ordering) -> Result<u32> {
        let at = self.aligned::<AtomicU32>("ReadView::load_u32", offset)?;
        // SAFETY: `aligned` has checked range and alignment; the memory is readable for 'a, and
        // relaxed loads of this size need no more than that. (Of others Rust does not promise that
        // they leave a read-only page alone; hence the fence.)
        let value = unsafe { at.as_ref() }.load(Ordering::Relaxed);
        match order {
            Ordering::Relaxed => {}
            Ordering::Acquire | Ordering::SeqCst => fence(order),
            other => panic!("a load cannot be {other:?}"),
        }
        self.check_for("ReadView::load_u32").map(|()| value)
    }

    /// The address of `offset`, once it is sure that `len` bytes lie there.
    #[inline]
    pub(super) fn place(
        self,
        call: &'static str,
        offset: usize,
        len: usize,
    ) -> Result<NonNull<u8>> {
        // Written so that nothing can wrap round: `offset + len` could.
        if offset > self.len || len > self.len - offset {
            return Err(outside(call, offset, len, self.len));
        }
        // SAFETY: `offset` is at most `len`, so the result is inside the view or at its end.
        Ok(unsafe { self.start.add(offset) })
    }

    /// The address of `offset` as that of a `T`, once range and alignment are sure.
    pub(super) fn aligned<T>(self, call: &'static str, offset: usize) -> Result<NonNull<T>> {
        let at = self.place(call, offset, size_of::<T>())?.cast::<T>();
        if at.is_aligned() {
            return Ok(at);
        }
        Err(Error::refused(call, Errno::EINVAL, format!("offset {offset}")).with_remedy(format!(
            "an atomic needs an address that is a multiple of its size, {}; choose such an offset",
            size_of::<T>()
        )))
    }
}

impl fmt::Debug for ReadView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadView({:p}, {} bytes)", self.start, self.len)
    }
}
