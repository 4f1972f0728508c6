//! The other lock: a robust, process-shared pthread mutex that lies in the segment itself. For
//! peers that trust each other; every function here is unsafe to call.
//!
//! It is quicker than a semaphore when nobody waits (no system call), and the C programs of this
//! world know it. When the owner dies, the next one to lock is told (`EOWNERDEAD`) and has to
//! repair what the mutex guards. But the mutex is made of the very memory that it guards, so its
//! traps are deeper than those of [`crate::lock`], which is safe:
//!
//! - **A peer can aim our writes.** The C library keeps a list of the robust mutexes that a thread
//!   holds, linked through the mutexes. Whoever scribbles on one makes our unlock write where he
//!   likes. No check of ours can prevent it.
//! - **Detaching while it is held** leaves the list pointing at memory that is gone: the next lock
//!   or unlock of any robust mutex in this thread crashes, or writes into whatever is there then.
//!   A borrow does not prevent it, since a guard can be forgotten.
//! - **An owner that detaches while holding and then exits is never reported**: the kernel cannot
//!   reach the mutex any more, and everyone else waits for ever.
//! - **Unlocking without [`RobustGuard::make_consistent`]** after `EOWNERDEAD` makes the mutex
//!   useless for good (`ENOTRECOVERABLE`).
//! - **Without `PTHREAD_MUTEX_ROBUST`** a dead owner is never noticed: the next lock hangs.
//! - **Initialising it twice** is undefined, and "who is first" is the very race that a lock was
//!   wanted for.
//! - **A fork** copies neither the thread's list nor the ownership: a child must not unlock.
//!
//! See pthread_mutexattr_setrobust(3) and pthread_mutex_consistent(3).

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use ipc_common::view::WriteView;
use ipc_common::{Errno, Error, Result};
use libc::{c_int, pthread_mutex_t, pthread_mutexattr_t};

/// A robust mutex at a place in shared memory.
#[derive(Clone, Copy, Debug)]
pub struct RobustMutex<'a> {
    at: NonNull<pthread_mutex_t>,
    memory: PhantomData<WriteView<'a>>,
}

/// What locking found.
#[derive(Debug)]
#[must_use = "dropping it unlocks at once"]
pub enum Locked<'a> {
    /// The last owner unlocked in good order.
    Clean(RobustGuard<'a>),
    /// The last owner died holding it: what the mutex guards may be half done. Repair it, then call
    /// [`RobustGuard::make_consistent`].
    OwnerDied(RobustGuard<'a>),
}

/// The mutex, held by this thread; dropping it unlocks.
#[derive(Debug)]
pub struct RobustGuard<'a> {
    at: NonNull<pthread_mutex_t>,
    /// Raw, because only the thread that locked may unlock: this makes the guard not `Send`.
    mutex: PhantomData<(RobustMutex<'a>, *const ())>,
}

impl<'a> RobustMutex<'a> {
    /// How many bytes it takes.
    pub const SIZE: usize = size_of::<pthread_mutex_t>();

    /// Makes a new mutex at `offset`.
    ///
    /// # Errors
    ///
    /// `ERANGE` if it does not fit in the view; `EINVAL` if the address is not aligned; those of
    /// pthread_mutex_init(3).
    ///
    /// # Safety
    ///
    /// - This is called once for this place, in one process, before anyone uses it: create the
    ///   segment with `IPC_EXCL`, and tell the others when it is done.
    /// - From then on all that [`RobustMutex::at`] asks for holds.
    pub unsafe fn init(view: WriteView<'a>, offset: usize) -> Result<RobustMutex<'a>> {
        let at = place(view, offset)?;
        let mut shape = MaybeUninit::<pthread_mutexattr_t>::uninit();
        let shape = shape.as_mut_ptr();
        // SAFETY: `shape` is initialised by the first call, used by the next two, and destroyed in
        // the end; `at` has room and alignment (`place`), and that nobody uses it yet was promised
        // by our caller.
        unsafe {
            check("pthread_mutexattr_init", libc::pthread_mutexattr_init(shape))?;
            let made = check(
                "pthread_mutexattr_setpshared",
                libc::pthread_mutexattr_setpshared(shape, libc::PTHREAD_PROCESS_SHARED),
            )
            .and_then(|()| {
                check(
                    "pthread_mutexattr_setrobust",
                    libc::pthread_mutexattr_setrobust(shape, libc::PTHREAD_MUTEX_ROBUST),
                )
            })
            .and_then(|()| {
                check("pthread_mutex_init", libc::pthread_mutex_init(at.as_ptr(), shape))
            });
            libc::pthread_mutexattr_destroy(shape);
            made?;
        }
        Ok(RobustMutex { at, memory: PhantomData })
    }

    /// The mutex that somebody made at `offset`.
    ///
    /// # Errors
    ///
    /// `ERANGE` if it does not fit in the view; `EINVAL` if the address is not aligned.
    ///
    /// # Safety
    ///
    /// - [`RobustMutex::init`] has made it there, and is done, in a process with the same C library.
    /// - For as long as it is in use, no process writes to its bytes but by `pthread_mutex_*`.
    /// - No process detaches, unmaps or execs while one of its threads holds it, and no guard is
    ///   forgotten.
    pub unsafe fn at(view: WriteView<'a>, offset: usize) -> Result<RobustMutex<'a>> {
        Ok(RobustMutex { at: place(view, offset)?, memory: PhantomData })
    }

    /// Waits until this thread has it. Not interruptible.
    ///
    /// # Errors
    ///
    /// `ENOTRECOVERABLE` if someone unlocked after `EOWNERDEAD` without repairing: the mutex is
    /// useless from now on.
    ///
    /// # Safety
    ///
    /// - The promises made to [`RobustMutex::at`] still hold.
    /// - This thread does not hold it already: that waits for itself, for ever.
    /// - The guard is dropped on this thread, in this process, and not forgotten.
    pub unsafe fn lock(self) -> Result<Locked<'a>> {
        // SAFETY: there is a mutex at `at`, which our caller promised.
        let errno = unsafe { libc::pthread_mutex_lock(self.at.as_ptr()) };
        let guard = || RobustGuard { at: self.at, mutex: PhantomData };
        match errno {
            0 => Ok(Locked::Clean(guard())),
            libc::EOWNERDEAD => Ok(Locked::OwnerDied(guard())),
            errno => Err(failed("pthread_mutex_lock", errno)),
        }
    }
}

impl RobustGuard<'_> {
    /// Says that what the mutex guards is in order again.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the last owner did not die.
    pub fn make_consistent(&self) -> Result<()> {
        // SAFETY: this thread holds the mutex (the guard is not Send), so it is there; that its
        // bytes are as the C library left them was promised to `RobustMutex::at`.
        check("pthread_mutex_consistent", unsafe {
            libc::pthread_mutex_consistent(self.at.as_ptr())
        })
    }
}

impl Drop for RobustGuard<'_> {
    fn drop(&mut self) {
        // SAFETY: as in `make_consistent`. It fails only for a mutex that we do not hold.
        unsafe { libc::pthread_mutex_unlock(self.at.as_ptr()) };
    }
}

fn place(view: WriteView<'_>, offset: usize) -> Result<NonNull<pthread_mutex_t>> {
    let part = view.part(offset, RobustMutex::SIZE)?;
    let at = part.as_ptr().cast_mut().cast::<pthread_mutex_t>();
    match NonNull::new(at).filter(|at| at.is_aligned()) {
        Some(at) => Ok(at),
        None => Err(Error::refused("RobustMutex", Errno::EINVAL, format!("offset {offset}"))
            .with_remedy(format!(
                "a mutex needs an address that is a multiple of {}; choose such an offset",
                align_of::<pthread_mutex_t>()
            ))),
    }
}

/// The pthread functions return their errno and leave the global one alone.
fn check(call: &'static str, errno: c_int) -> Result<()> {
    if errno == 0 { Ok(()) } else { Err(failed(call, errno)) }
}

fn failed(call: &'static str, errno: c_int) -> Error {
    let error = Error::new(call, Errno::from_raw(errno), "");
    match error.errno() {
        Errno::ENOTRECOVERABLE => error.with_remedy(
            "an owner died, and the next one unlocked without pthread_mutex_consistent; make a new mutex in a new segment",
        ),
        _ => error,
    }
}
