//! What the kernel knows about a segment: `shmctl(IPC_STAT)`, and `IPC_SET` to change some of it.

use std::time::{Duration, SystemTime};

use ipc_common::{Errno, Error, Key, Result};
use nix::unistd::{Gid, Uid, geteuid};

use super::{Segment, explain, list};
use crate::{Mode, sys, user_name};

/// Above the permission bits of the mode: it goes when the last process detaches (`<sys/shm.h>`).
pub(super) const SHM_DEST: u32 = 0o1000;
/// Above the permission bits of the mode: its pages may not be swapped out (`SHM_LOCK`).
pub(super) const SHM_LOCKED: u32 = 0o2000;

/// The state of a segment at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Its id.
    pub id: i32,
    /// Its key. [`Key::PRIVATE`] if it never had one, or is marked for removal.
    pub key: Key,
    /// Its size in bytes, as it was asked for.
    pub size: usize,
    /// Its permission bits.
    pub mode: Mode,
    /// The user it belongs to; `IPC_SET` changes it.
    pub owner: Uid,
    /// The group it belongs to; `IPC_SET` changes it.
    pub group: Gid,
    /// The user who created it, who keeps the right to remove it.
    pub creator: Uid,
    /// The group of who created it.
    pub creator_group: Gid,
    /// `shm_nattch`: how many times it is attached, over all processes; a fork counts again.
    pub attached: u64,
    /// The process that created it; 0 if it cannot be seen from this process's PID namespace.
    pub creator_pid: i32,
    /// The process that last attached or detached; 0 for none yet.
    pub last_pid: i32,
    /// When it was last attached. The kernel counts in whole seconds.
    pub attached_at: Option<SystemTime>,
    /// When it was last detached.
    pub detached_at: Option<SystemTime>,
    /// When it was created, or last changed by `IPC_SET`.
    pub changed_at: Option<SystemTime>,
    /// Marked for removal (`SHM_DEST`): it goes when the last process detaches.
    pub marked_for_removal: bool,
    /// Its pages may not be swapped out.
    pub locked: bool,
}

impl Segment {
    /// Its state now.
    ///
    /// # Errors
    ///
    /// `EACCES` without read permission; `EINVAL` or `EIDRM` if it is gone.
    pub fn stat(self) -> Result<Stat> {
        let raw = sys::shm::stat(self.id)
            .map_err(|error| explain::shut_out(error, self.id, "look at it"))?;
        let [attached_at, detached_at, changed_at] = raw.times.map(moment);
        let (owner, creator) = (raw.permissions.owner, raw.permissions.creator);
        Ok(Stat {
            id: self.id,
            key: Key::from_raw(raw.permissions.key),
            size: raw.size,
            mode: Mode::from_kernel(raw.permissions.mode),
            owner: Uid::from_raw(owner.0),
            group: Gid::from_raw(owner.1),
            creator: Uid::from_raw(creator.0),
            creator_group: Gid::from_raw(creator.1),
            attached: raw.attached,
            creator_pid: raw.creator_pid,
            last_pid: raw.last_pid,
            attached_at,
            detached_at,
            changed_at,
            marked_for_removal: raw.permissions.mode & SHM_DEST != 0,
            locked: raw.permissions.mode & SHM_LOCKED != 0,
        })
    }

    /// Whether it is marked for removal, or gone altogether.
    ///
    /// # Errors
    ///
    /// `EACCES` without read permission.
    pub fn is_removed(self) -> Result<bool> {
        match self.stat() {
            Ok(stat) => Ok(stat.marked_for_removal),
            Err(error) if matches!(error.errno(), Errno::EINVAL | Errno::EIDRM) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Gives it another mode. Processes that are attached already stay attached as they are.
    ///
    /// # Errors
    ///
    /// `EPERM` for anyone but owner, creator and root; `EINVAL` or `EIDRM` if it is gone.
    pub fn set_mode(self, mode: Mode) -> Result<()> {
        let now = self.look()?;
        sys::shm::set(self.id, mode.bits(), (now.owner.as_raw(), now.group.as_raw()))
    }

    /// Gives it to another user and group. The creator keeps the right to remove it.
    ///
    /// # Errors
    ///
    /// Those of [`Segment::set_mode`].
    pub fn set_owner(self, owner: Uid, group: Gid) -> Result<()> {
        let now = self.look()?;
        sys::shm::set(self.id, now.mode.bits(), (owner.as_raw(), group.as_raw()))
    }

    /// The state before a change: `IPC_SET` sets mode and owner together, so what is to stay has to
    /// be known. The owner may change a segment that he may not read (mode 0000, say), and then
    /// `IPC_STAT` refuses; the list does not.
    fn look(self) -> Result<Stat> {
        match self.stat() {
            Err(error) if error.errno() == Errno::EACCES => {
                list()?.into_iter().find(|stat| stat.id == self.id).ok_or(error)
            }
            looked => looked,
        }
    }
}

impl Stat {
    /// Whether it is this process's to remove: as its owner, its creator, or root.
    pub fn is_ours(&self) -> bool {
        let we = geteuid();
        we.is_root() || [self.owner, self.creator].contains(&we)
    }

    /// What else than asking for what is there.
    fn otherwise(&self) -> &'static str {
        if self.is_ours() { "remove it, or use another key" } else { "or use another key" }
    }

    /// # Errors
    ///
    /// `EEXIST` if the size is another one.
    pub(crate) fn expect_size(&self, size: usize) -> Result<()> {
        if self.size == size {
            return Ok(());
        }
        Err(self.unexpected(
            format!("{size} bytes"),
            format!(
                "the segment with this key has {} bytes, not {size}; ask for {}, {}",
                self.size,
                self.size,
                self.otherwise()
            ),
        ))
    }

    /// # Errors
    ///
    /// `EEXIST` if the mode is another one.
    pub(crate) fn expect_mode(&self, mode: Mode) -> Result<()> {
        if self.mode == mode {
            return Ok(());
        }
        Err(self.unexpected(
            format!("mode {mode}"),
            format!(
                "the segment with this key has mode {}, not {mode}; ask for that, {}",
                self.mode,
                self.otherwise()
            ),
        ))
    }

    /// # Errors
    ///
    /// `EEXIST` if it belongs to another user.
    pub(crate) fn expect_owner(&self, owner: Uid) -> Result<()> {
        if self.owner == owner {
            return Ok(());
        }
        Err(self.unexpected(
            format!("wanted by {}", user_name(owner)),
            format!(
                "the segment with this key belongs to {}, so it is not adopted silently; ask for its very size ({} bytes) if you mean it, or use another key",
                user_name(self.owner),
                self.size
            ),
        ))
    }

    /// Asks the kernel whether we may attach it for writing, without doing so: shmget looks at the
    /// permissions that its flags name.
    ///
    /// # Errors
    ///
    /// `EACCES` if not.
    pub(crate) fn expect_writable(&self) -> Result<()> {
        match sys::shm::get(self.key, 0, Mode::PRIVATE.flags()) {
            Err(error) if error.errno() == Errno::EACCES => {
                Err(explain::shut_out(error, self.id, "write to it"))
            }
            // Whatever else there is to say, who opens it will hear.
            _ => Ok(()),
        }
    }

    fn unexpected(&self, wanted: String, remedy: String) -> Error {
        let about = format!("key {}, {wanted}", self.key);
        Error::refused("shmget", Errno::EEXIST, about).with_remedy(remedy)
    }
}

/// The kernel writes 0 for "never".
pub(crate) fn moment(seconds: i64) -> Option<SystemTime> {
    match u64::try_from(seconds) {
        Ok(1..) => SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.unsigned_abs())),
        _ => None,
    }
}
