//! How a process notices that a number in shared memory has changed.
//!
//! | | while waiting | between two cores | on one core |
//! |---|---|---|---|
//! | looking | takes a processor, all of it | the fastest there is | hopeless: it looks until its time is up |
//! | yielding | takes what others leave | – | a system call a look, and the other runs |
//! | futex | sleeps | a system call here, one there, and a core to wake | the same, and no core to wake |
//! | semaphores | sleeps | the same | the same |

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Release};

use benches::bench::stop;
use benches::floor::wait_for;
use benches::raw;
use ipc_common::{Errno, Result};

/// A way of waiting for a number, and of letting the other know.
pub trait Waiting {
    const NAME: &str;
    /// Between two processes that are still one.
    fn new() -> Result<Self>
    where
        Self: Sized;
    /// In the process that answers.
    fn answer_only(&mut self) {}
    /// Stores the number; what was copied before is seen by whoever sees it. `which` of the two
    /// directions: 0 is the asking one.
    fn publish(&self, word: &AtomicU32, number: u32, which: u16);
    /// Returns when it is there.
    fn wait(&self, word: &AtomicU32, number: u32, which: u16);
}

pub struct Looking;

impl Waiting for Looking {
    const NAME: &str = "looking";

    fn new() -> Result<Looking> {
        Ok(Looking)
    }

    #[inline]
    fn publish(&self, word: &AtomicU32, number: u32, _: u16) {
        word.store(number, Release);
    }

    #[inline]
    fn wait(&self, word: &AtomicU32, number: u32, _: u16) {
        wait_for(word, number);
    }
}

pub struct Yielding;

impl Waiting for Yielding {
    const NAME: &str = "yielding";

    fn new() -> Result<Yielding> {
        Ok(Yielding)
    }

    #[inline]
    fn publish(&self, word: &AtomicU32, number: u32, _: u16) {
        word.store(number, Release);
    }

    #[inline]
    fn wait(&self, word: &AtomicU32, number: u32, _: u16) {
        while word.load(Acquire) != number {
            std::thread::yield_now();
        }
    }
}

pub struct Futex;

/// Who sleeps for so long sleeps for ever: the other is dead or stuck.
const PATIENCE: libc::timespec = libc::timespec { tv_sec: 60, tv_nsec: 0 };

impl Waiting for Futex {
    const NAME: &str = "futex";

    fn new() -> Result<Futex> {
        Ok(Futex)
    }

    fn publish(&self, word: &AtomicU32, number: u32, _: u16) {
        word.store(number, Release);
        // SAFETY: FUTEX_WAKE takes the address as a name. Not FUTEX_PRIVATE_FLAG: the sleeper is in
        // another process.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
    }

    fn wait(&self, word: &AtomicU32, number: u32, _: u16) {
        loop {
            let seen = word.load(Acquire);
            if seen == number {
                return;
            }
            let limit: *const libc::timespec = &PATIENCE;
            // SAFETY: the kernel reads the word, which is mapped, and the time, which is a constant.
            let slept = unsafe {
                libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, seen, limit)
            };
            if slept != 0 && Errno::last() == Errno::ETIMEDOUT {
                stop(&"the other process does not answer");
            }
        }
    }
}

pub struct Semaphores(raw::Semaphores);

impl Waiting for Semaphores {
    const NAME: &str = "semaphores";

    fn new() -> Result<Semaphores> {
        raw::Semaphores::new().map(Semaphores)
    }

    fn answer_only(&mut self) {
        self.0.remove_when_told();
    }

    fn publish(&self, word: &AtomicU32, number: u32, which: u16) {
        word.store(number, Release);
        self.0.change(which, 1);
    }

    fn wait(&self, word: &AtomicU32, number: u32, which: u16) {
        self.0.change(which, -1);
        assert_eq!(word.load(Acquire), number, "the semaphore was raised for another note");
    }
}
