//! No order of threads lets a success come after a loss. Run by loom, on the shipped `attempt`,
//! against a model of the kernel that reports its error once, to whoever asks first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::SeqCst;

use ipc_common::Errno;
use loom::sync::atomic::AtomicBool;
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::{Attempt, Guarded, Health, Loss, Unsynced};

impl Guarded for Mutex<Option<Loss>> {
    fn with<R>(&self, body: impl FnOnce(&mut Option<Loss>) -> R) -> R {
        body(&mut self.lock().unwrap())
    }
}

struct Kernel {
    /// errseq_t, as one opening of the file sees it.
    unreported: AtomicBool,
}

impl Kernel {
    fn sync(&self) -> Attempt<Errno> {
        match self.unreported.swap(false, SeqCst) {
            true => Attempt::Lost(Loss::new("msync", Errno::EIO, 0..1), Errno::EIO),
            false => Attempt::Done,
        }
    }
}

type Sync = fn(&Health<Mutex<Option<Loss>>>, &Kernel) -> Result<(), Unsynced<Errno>>;

/// A write has failed already. Two threads sync twice each: all four have to hear of it. (Looked at
/// when both have ended: a panic in the middle would stop loom, not the run.)
fn run(sync: Sync) {
    loom::model(move || {
        let shared = Arc::new((
            Health { lost: Mutex::new(None) },
            Kernel { unreported: AtomicBool::new(true) },
        ));
        let other = Arc::clone(&shared);
        let twice = move |(health, kernel): &(Health<_>, Kernel)| {
            [(); 2].map(|()| sync(health, kernel).is_err())
        };
        let thread = thread::spawn(move || twice(&other));
        let heard = [twice(&shared), thread.join().unwrap()];
        assert_eq!(heard, [[true; 2]; 2], "a success hides the loss");
        assert_eq!(shared.0.loss().unwrap().failures(), 1, "the kernel said it once");
    });
}

#[test]
fn no_success_comes_after_a_loss() {
    run(|health, kernel| health.attempt(|| kernel.sync()));
}

#[test]
fn with_the_call_outside_the_lock_loom_finds_a_success_that_hides_the_loss() {
    let twin: Sync = |health, kernel| {
        let said = kernel.sync();
        health.attempt(|| said)
    };
    assert!(catch_unwind(AssertUnwindSafe(|| run(twin))).is_err());
}

#[test]
fn without_the_memory_loom_finds_a_success_that_hides_the_loss() {
    let twin: Sync = |health, kernel| {
        let done = health.attempt(|| kernel.sync());
        if let Err(Unsynced::Before(_)) = done { Ok(()) } else { done }
    };
    assert!(catch_unwind(AssertUnwindSafe(|| run(twin))).is_err());
}
