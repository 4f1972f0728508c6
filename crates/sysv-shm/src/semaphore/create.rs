//! Making a semaphore set that nobody sees half made.
//!
//! semget creates, a second call gives the first values, and in between others can find the set
//! and use it. Two processes that both "create it if it is missing, then set it to 1" can even set
//! it twice, the second time when somebody has it already. The way out is TLPI's (section 47.5):
//! only who created it with `IPC_EXCL` gives the values, and the others wait until `sem_otime`, the
//! time of the last semop, is no longer 0, as it is in a set that no semop has touched.
//!
//! Here the first values come by that very semop, all in one step: Linux creates semaphores as 0
//! (semget(2); POSIX leaves the values open), so adding is setting.

use std::thread;
use std::time::{Duration, Instant};

use ipc_common::{Errno, Error, Key, Result};

use super::{Op, SemaphoreSet};
use crate::{Mode, Opened, sys};

/// How often open-or-create begins again, when others remove and create at the same time.
const ROUNDS: usize = 64;
/// How long to sleep between two looks at a set that is being made.
const NAP: Duration = Duration::from_millis(1);

impl SemaphoreSet {
    /// Creates a set with these values, one for each semaphore; never opens one that is there.
    ///
    /// # Errors
    ///
    /// `EEXIST` if the key is in use; `EINVAL` for no semaphores or more than SEMMSL; `E2BIG` for
    /// more than SEMOPM (500), since one semop gives all values; `ERANGE` for a value above 32767;
    /// `EACCES` if `mode` forbids the creator itself to write; `ENOSPC` at SEMMNI or SEMMNS.
    pub fn create(key: Key, values: &[u16], mode: Mode) -> Result<SemaphoreSet> {
        if values.is_empty() {
            // semget takes 0 for "as many as there are", which nothing new has.
            return Err(Error::refused("semget", Errno::EINVAL, format!("key {key}"))
                .with_remedy("a new set needs at least one semaphore"));
        }
        if let Some(value) = values.iter().find(|value| **value > 32767) {
            return Err(Error::refused("semctl", Errno::ERANGE, format!("value {value}")));
        }
        let flags = libc::IPC_CREAT | libc::IPC_EXCL | mode.flags();
        let set = SemaphoreSet { id: sys::sem::get(key, values.len(), flags)? };
        let ops: Vec<Op> =
            (0..).zip(values).map(|(number, value)| Op::add(number, *value).at_once()).collect();
        if let Err(error) = set.apply(&ops, Duration::ZERO) {
            // Nobody is to find a set that will never be set up.
            let _ = set.remove();
            return Err(match error.errno() {
                Errno::E2BIG => error.with_remedy(
                    "one semop gives all values, and does no more than SEMOPM operations (third number of kernel.sem); make several sets",
                ),
                _ => error,
            });
        }
        Ok(set)
    }

    /// Opens the set with this key once its creator has given it its first values, for which it
    /// waits no longer than `patience`.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is none; `EEXIST` if it has not exactly `count` semaphores; `EACCES`
    /// without read permission; `ETIMEDOUT` if it was created but never set up: its creator died
    /// in between; `EINVAL` for [`Key::PRIVATE`].
    pub fn open(key: Key, count: usize, patience: Duration) -> Result<SemaphoreSet> {
        if key.is_private() {
            return Err(Error::refused("semget", Errno::EINVAL, format!("key {key}"))
                .with_remedy("IPC_PRIVATE always makes a new set; open it by its id"));
        }
        let set = SemaphoreSet { id: sys::sem::get(key, 0, 0)? };
        // Patience that no clock can hold is patience without end.
        let until = Instant::now().checked_add(patience);
        loop {
            let stat = set.stat()?;
            expect_count(key, stat.count, count)?;
            if stat.operated_at.is_some() {
                return Ok(set);
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Err(never_set_up(key, set.id, patience));
            }
            thread::sleep(NAP);
        }
    }

    /// Opens the set with this key, creates it with these values if it is missing, and says which.
    /// Of many processes that do this at once, one creates it.
    ///
    /// # Errors
    ///
    /// Those of [`SemaphoreSet::create`] and [`SemaphoreSet::open`]; `EAGAIN` if others kept on
    /// creating and removing it between our looks.
    pub fn open_or_create(
        key: Key,
        values: &[u16],
        mode: Mode,
        patience: Duration,
    ) -> Result<Opened<SemaphoreSet>> {
        for _ in 0..ROUNDS {
            match SemaphoreSet::create(key, values, mode) {
                // The key is taken; or others removed what we had just created.
                Err(error)
                    if error.is_from_kernel()
                        && matches!(error.errno(), Errno::EEXIST | Errno::EIDRM)
                        || error.call() == "semop" && error.errno() == Errno::EINVAL => {}
                created => return created.map(Opened::Created),
            }
            match SemaphoreSet::open(key, values.len(), patience) {
                // Removed between our two calls.
                Err(error)
                    if matches!(error.errno(), Errno::ENOENT | Errno::EIDRM | Errno::EINVAL) => {}
                found => return found.map(Opened::Existing),
            }
        }
        Err(Error::refused("semget", Errno::EAGAIN, format!("key {key}")).with_remedy(
            "others create and remove this set all the time; stop them, or use another key",
        ))
    }
}

/// # Errors
///
/// `EEXIST` if a set of `found` semaphores is not the one that was meant. semget itself is content
/// with any set that is large enough.
pub(crate) fn expect_count(key: Key, found: usize, wanted: usize) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    let about = format!("key {key}, {wanted} semaphores");
    Err(Error::refused("semget", Errno::EEXIST, about).with_remedy(format!(
        "the set with this key has {found} semaphores, not {wanted}, so it serves something else; use another key"
    )))
}

fn never_set_up(key: Key, id: i32, patience: Duration) -> Error {
    let about = format!("key {key}, set {id}, {} s", patience.as_secs_f64());
    Error::refused("semget", Errno::ETIMEDOUT, about).with_remedy(format!(
        "the set was created but never given its values, so its creator died in between; remove it: `ipcrm -s {id}`"
    ))
}
