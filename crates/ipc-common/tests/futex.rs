//! Sleeping on a word of shared memory, and being woken by another process.

use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ipc_common::Errno;
use ipc_common::view::{Woken, WriteView};
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

testkit::cases! {
    a_sleeper_is_woken_by_another_process;
    a_word_that_has_changed_already_is_not_slept_on;
    a_store_without_a_wake_is_noticed_at_the_limit;
    an_offset_that_no_word_fits_is_refused;
}

const LONG: Duration = Duration::from_secs(60);

/// Memory that a forked child shares. It is never unmapped: the case ends soon enough.
fn shared() -> WriteView<'static> {
    let len = NonZeroUsize::new(4096).unwrap();
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new mapping at an address of the kernel's choice disturbs nothing.
    let start: NonNull<_> =
        unsafe { mmap_anonymous(None, len, protection, MapFlags::MAP_SHARED) }.unwrap();
    // SAFETY: it stays mapped for ever, and only this view and its copies look at it.
    unsafe { WriteView::new(start.cast(), 4096) }
}

/// Runs `child` in a forked process and returns its exit code when `parent` is done.
fn beside(child: impl FnOnce() -> i32, parent: impl FnOnce()) -> i32 {
    // SAFETY: the case has one thread, so the child may do what it likes.
    match unsafe { fork() }.unwrap() {
        // SAFETY: _exit takes a number.
        ForkResult::Child => unsafe { libc::_exit(child()) },
        ForkResult::Parent { child } => {
            parent();
            match waitpid(child, None).unwrap() {
                WaitStatus::Exited(_, code) => code,
                other => panic!("{other:?}"),
            }
        }
    }
}

fn a_sleeper_is_woken_by_another_process() {
    let view = shared();
    let ready = view.atomic_u32(64).unwrap();
    let sleeper = || {
        ready.store(1, Ordering::SeqCst);
        // Spurious wakes are allowed; the word says when it is over.
        while view.load_u32(8, Ordering::SeqCst).unwrap() == 0 {
            match view.wait_while(8, 0, LONG) {
                Ok(Woken::TimedOut) | Err(_) => return 1,
                Ok(_) => {}
            }
        }
        0
    };
    let waker = || {
        while ready.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        view.atomic_u32(8).unwrap().store(7, Ordering::SeqCst);
        view.wake_all(8).unwrap();
    };
    assert_eq!(beside(sleeper, waker), 0);
}

fn a_word_that_has_changed_already_is_not_slept_on() {
    let view = shared();
    view.atomic_u32(0).unwrap().store(5, Ordering::SeqCst);
    assert_eq!(view.wait_while(0, 4, LONG).unwrap(), Woken::Changed);
}

fn a_store_without_a_wake_is_noticed_at_the_limit() {
    let view = shared();
    assert_eq!(view.wait_while(0, 0, Duration::from_millis(5)).unwrap(), Woken::TimedOut);
}

fn an_offset_that_no_word_fits_is_refused() {
    let view = shared();
    assert_eq!(view.wait_while(2, 0, LONG).unwrap_err().errno(), Errno::EINVAL);
    assert_eq!(view.wait_while(4094, 0, LONG).unwrap_err().errno(), Errno::ERANGE);
    assert_eq!(view.wake_all(1).unwrap_err().errno(), Errno::EINVAL);
    assert_eq!(view.wake_all(usize::MAX).unwrap_err().errno(), Errno::ERANGE);
}
