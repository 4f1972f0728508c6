//! Who the student's programs are, and doing things as they.

use nix::unistd::{Gid, Uid, getegid, geteuid, setegid, seteuid};

use ipc_common::{Error, Result};

/// Whom the student's programs belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The user who runs the grader.
    Same,
    /// The same user. The grader has become root of a user namespace; the programs get one more, in
    /// which they have these numbers again, and no privilege.
    Inside {
        /// The user's real number.
        user: u32,
        /// The group's.
        group: u32,
    },
    /// A user of the run's own, with a group of the same number.
    Run(u32),
}

impl Identity {
    /// Does something as this user. Where the grader is root in a container, root may neither read
    /// nor remove another's segment; its owner may.
    ///
    /// # Errors
    ///
    /// Those of setresuid(2), and of what is done.
    pub fn does<T>(self, what: impl FnOnce() -> Result<T>) -> Result<T> {
        let Identity::Run(id) = self else { return what() };
        let _guard = Guard::become_user(id)?;
        what()
    }
}

/// Goes back to who we were, whatever happens.
struct Guard {
    user: Uid,
    group: Gid,
}

impl Guard {
    fn become_user(id: u32) -> Result<Guard> {
        let guard = Guard { user: geteuid(), group: getegid() };
        // The group first: afterwards we may not any more.
        setegid(Gid::from_raw(id)).map_err(|e| Error::new("setegid", e, format!("group {id}")))?;
        seteuid(Uid::from_raw(id)).map_err(|e| Error::new("seteuid", e, format!("user {id}")))?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let back = seteuid(self.user).and_then(|()| setegid(self.group));
        // As the wrong user everything later would go wrong in ways that nobody understands.
        assert!(back.is_ok(), "the way back to user {} is closed: {back:?}", self.user);
    }
}
