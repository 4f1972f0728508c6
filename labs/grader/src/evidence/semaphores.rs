//! A System V semaphore set, as the kernel shows it to anybody who has its key.

use ipc_common::{Errno, Key, Result};

use super::sys;
use crate::sandbox::Identity;

/// A semaphore set that was found by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Semaphores {
    id: i32,
    count: usize,
    identity: Identity,
}

impl Semaphores {
    /// The set with a key; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Those of semget(2) but ENOENT.
    pub fn find(key: Key, identity: Identity) -> Result<Option<Semaphores>> {
        let found = identity.does(|| {
            let id = sys::semget(key.raw(), 0, 0)?;
            let count = usize::try_from(sys::semaphores_stat(id)?.sem_nsems).unwrap_or(0);
            Ok(Semaphores { id, count, identity })
        });
        match found {
            Ok(set) => Ok(Some(set)),
            Err(error) if matches!(error.errno(), Errno::ENOENT | Errno::EIDRM) => Ok(None),
            Err(error) if error.call() == "semctl" && error.errno() == Errno::EINVAL => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Its number.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// How many semaphores it has.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The value of one of them.
    ///
    /// # Errors
    ///
    /// Those of semctl(2).
    pub fn value(&self, index: usize) -> Result<i32> {
        self.get(index, libc::GETVAL)
    }

    /// How many wait for one of them to grow.
    ///
    /// # Errors
    ///
    /// Those of semctl(2).
    pub fn waiting(&self, index: usize) -> Result<i32> {
        self.get(index, libc::GETNCNT)
    }

    fn get(&self, index: usize, what: i32) -> Result<i32> {
        let index = i32::try_from(index).unwrap_or(i32::MAX);
        self.identity.does(|| sys::semaphore_get(self.id, index, what))
    }

    /// Removes it.
    ///
    /// # Errors
    ///
    /// Those of semctl(2).
    pub fn remove(self) -> Result<()> {
        self.identity.does(|| sys::remove_semaphores(self.id))
    }
}
