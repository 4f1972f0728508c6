//! A hostile neighbour: a real second process that does one thing over and over until it is killed.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

/// Numbers at random, fast enough to scribble with. Not repeatable: the other process is not
/// either.
pub struct Random(u64);

impl Random {
    /// Starts somewhere else each time.
    #[expect(clippy::new_without_default, reason = "a default that is never the same surprises")]
    pub fn new() -> Random {
        Random(crate::random_u64() | 1)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        // Xorshift (Marsaglia, 2003): never 0, as it did not begin with 0.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.any() % end as u64) as usize
    }

    /// Mostly a small number, and now and then one that overflows whatever is added to it.
    pub fn wild(&mut self, usual: usize) -> usize {
        match self.below(4) {
            0 => usize::MAX - self.below(usual + 2),
            1 => self.any() as usize,
            _ => self.below(2 * usual + 2),
        }
    }
}

/// A forked process that is at it until this value is dropped.
pub struct Peer {
    pid: Pid,
    rounds: &'static AtomicU64,
}

/// Forks a process that does `work` all the time, and waits until it has done it once.
///
/// Before any [`crate::Program`] is started: a fork inherits the pipes of those that run, and
/// would keep them open.
///
/// # Panics
///
/// If it does not begin.
pub fn peer(mut work: impl FnMut(&mut Random)) -> Peer {
    let page = NonZeroUsize::new(4096).expect("not zero");
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new mapping at an address of the kernel's choice disturbs nothing.
    let rounds = unsafe { mmap_anonymous(None, page, protection, MapFlags::MAP_SHARED) };
    // SAFETY: zeroed, aligned to a page, used as this atomic only, and never unmapped: the case
    // ends soon enough.
    let rounds: &'static AtomicU64 = unsafe { rounds.expect("a page").cast().as_ref() };
    let before = SystemTime::now();
    // SAFETY: the child goes on in this process's image as if nothing had happened; the C library
    // makes its allocator usable after a fork. It never returns from here.
    match unsafe { fork() }.expect("a process more") {
        ForkResult::Child => {
            let _ = set_pdeathsig(Signal::SIGKILL);
            let mut random = Random::new();
            // A panic must not unwind into the case, whose values belong to the parent.
            while catch_unwind(AssertUnwindSafe(|| work(&mut random))).is_ok() {
                rounds.fetch_add(1, Ordering::Relaxed);
            }
            // SAFETY: _exit takes a number.
            unsafe { libc::_exit(101) }
        }
        ForkResult::Parent { child } => {
            crate::program::remember(child.as_raw().cast_unsigned(), before);
            let peer = Peer { pid: child, rounds };
            let until = Instant::now() + Duration::from_secs(40);
            while peer.rounds() == 0 {
                peer.expect_alive();
                assert!(Instant::now() < until, "the peer does not begin");
                std::thread::sleep(Duration::from_micros(100));
            }
            peer
        }
    }
}

impl Peer {
    /// How often it has done its work.
    pub fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// Rounds as [`crate::soak`] counts them, and more if the peer was slow: it takes part in a few
    /// dozen at least, however busy the machine is.
    pub fn soak(&self, small: usize, full: usize) -> impl Iterator<Item = usize> {
        let wanted = crate::soak(small, full);
        let begun = self.rounds();
        (0..).take_while(move |done| self.is_slow_since(begun) || *done < wanted)
    }

    pub(crate) fn is_slow_since(&self, begun: u64) -> bool {
        const FEW: u64 = 30;
        self.expect_alive();
        self.rounds() < begun + FEW
    }

    /// A peer that has died proves nothing.
    fn expect_alive(&self) {
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let state = waitid(Id::Pid(self.pid), look);
        assert_eq!(state, Ok(WaitStatus::StillAlive), "the peer has ended");
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().cast_unsigned()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = kill(self.pid, Signal::SIGKILL);
        let _ = waitpid(self.pid, None);
    }
}
