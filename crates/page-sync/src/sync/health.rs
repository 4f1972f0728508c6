//! The memory for errors that the kernel reports only once.
//!
//! Two threads sync one file after a write has failed. The kernel gives `EIO` to the first and 0 to
//! the second. If the second returned its 0 before the first has written its `EIO` down, a success
//! would hide the error. So the call to the kernel and the writing down happen under one lock, and
//! nobody can come between them. (The price: syncs of one file object go one after another. The
//! device works on one flush at a time anyway.)

use std::sync::{Mutex, PoisonError};

use super::Loss;

/// A lock around what is known. `std`'s when it ships, loom's when it is proved.
pub(crate) trait Guarded {
    fn with<R>(&self, body: impl FnOnce(&mut Option<Loss>) -> R) -> R;
}

impl Guarded for Mutex<Option<Loss>> {
    fn with<R>(&self, body: impl FnOnce(&mut Option<Loss>) -> R) -> R {
        // Nothing here panics while it is locked; and a loss is as true after a panic as before.
        body(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is known about the way of a file's pages to the device.
#[derive(Debug, Default)]
pub(crate) struct Health<L = Mutex<Option<Loss>>> {
    lost: L,
}

/// How one call to the kernel ended.
pub(crate) enum Attempt<E> {
    /// It succeeded.
    Done,
    /// It failed, in a way that says nothing about the data.
    Refused(E),
    /// It failed, and the data may be gone.
    Lost(Loss, E),
}

/// Why an attempt is no success.
#[derive(Debug)]
pub(crate) enum Unsynced<E> {
    /// This call failed.
    Now(E),
    /// This call succeeded, but an earlier one lost data.
    Before(Loss),
}

impl Health {
    pub fn new() -> Health {
        Health { lost: Mutex::new(None) }
    }
}

impl<L: Guarded> Health<L> {
    /// Calls the kernel, writes down what it says, and lets no success pass that comes after a
    /// loss.
    pub fn attempt<E>(&self, call: impl FnOnce() -> Attempt<E>) -> Result<(), Unsynced<E>> {
        self.lost.with(|lost| match call() {
            Attempt::Done => lost.clone().map_or(Ok(()), |loss| Err(Unsynced::Before(loss))),
            Attempt::Refused(error) => Err(Unsynced::Now(error)),
            Attempt::Lost(loss, error) => {
                match lost {
                    Some(earlier) => earlier.add(loss.pages()),
                    None => *lost = Some(loss),
                }
                Err(Unsynced::Now(error))
            }
        })
    }

    /// What has been lost, if anything.
    pub fn loss(&self) -> Option<Loss> {
        self.lost.with(|lost| lost.clone())
    }

    /// Forgets it. For whoever has made it good.
    pub fn forget(&mut self) -> Option<Loss> {
        self.lost.with(Option::take)
    }

    /// It was not made good after all.
    pub fn put_back(&mut self, loss: Loss) {
        self.lost.with(|lost| {
            let later = lost.replace(loss);
            if let (Some(lost), Some(later)) = (lost, later) {
                lost.add(later.pages());
            }
        });
    }
}

#[cfg(test)]
mod proof;
