//! One operation on one semaphore: `struct sembuf`.

/// An operation; [`super::SemaphoreSet::apply`] does several at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an operation does nothing until it is applied"]
pub struct Op {
    semaphore: u16,
    change: i16,
    flags: i16,
}

impl Op {
    /// Adds to semaphore number `semaphore`; never waits. At most 32767, which also is the largest
    /// value a semaphore can have: more is cut to that.
    pub fn add(semaphore: u16, amount: u16) -> Op {
        Op { semaphore, change: i16::try_from(amount).unwrap_or(i16::MAX), flags: 0 }
    }

    /// Subtracts, once the value is at least `amount`. At most 32767, as in [`Op::add`].
    pub fn subtract(semaphore: u16, amount: u16) -> Op {
        Op { change: -Op::add(semaphore, amount).change, ..Op::add(semaphore, 0) }
    }

    /// Goes on once the value is 0. (In `struct sembuf` that is the change 0.)
    pub fn wait_for_zero(semaphore: u16) -> Op {
        Op::add(semaphore, 0)
    }

    /// The kernel is to take this change back when the process ends (`SEM_UNDO`).
    pub fn undo(self) -> Op {
        Op { flags: self.flags | libc::SEM_UNDO as i16, ..self }
    }

    /// If this operation would have to wait, the call is to fail with `EAGAIN` at once
    /// (`IPC_NOWAIT`), while others of the same call may wait.
    pub fn at_once(self) -> Op {
        Op { flags: self.flags | libc::IPC_NOWAIT as i16, ..self }
    }

    pub(crate) fn raw(self) -> libc::sembuf {
        libc::sembuf { sem_num: self.semaphore, sem_op: self.change, sem_flg: self.flags }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_beyond_what_a_semaphore_holds_do_not_wrap_round() {
        assert_eq!(Op::add(1, u16::MAX).raw().sem_op, i16::MAX);
        assert_eq!(Op::subtract(1, u16::MAX).raw().sem_op, -i16::MAX);
        assert_eq!(Op::subtract(1, 0), Op::wait_for_zero(1));
    }
}
