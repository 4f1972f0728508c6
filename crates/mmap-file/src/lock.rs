//! A lock on the file. Slide "Shared Memory: mutual exclusion **must** be provided".
//!
//! An *open file description* lock (fcntl(2), `F_OFD_SETLK`): it belongs to one opening of the
//! file, and the kernel drops it when the last descriptor of that opening is closed, also by
//! kill -9. Nothing that a peer stores into the mapping can break it. (The older POSIX locks
//! belong to the process and vanish when *any* descriptor of the file is closed.)
//!
//! It is advisory: whoever does not ask is not kept out. And whoever may read the file may hold a
//! *read* lock on it, which no writer gets past: keep the mode of a file that matters at 0600. It says nothing about the bytes either:
//! if the holder died half-way, the next one gets the lock and the mess. The note keeps a mark
//! against that ([`crate::note`]).

use std::fs::File;
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use ipc_common::{Errno, Error, Result};
use nix::fcntl::{FcntlArg, fcntl};

use crate::sys;

/// The lock, held until it is dropped, or forgotten and the file closed.
///
/// It belongs to the opening of the file, which a fork shares: a child's copy of this value releases
/// nothing when dropped, but as long as the child lives and keeps the file open, the lock outlives
/// its holder.
#[derive(Debug)]
#[must_use = "dropped at once, it locks nothing"]
pub struct Lock<'a> {
    file: &'a File,
    /// Who took it, and alone may release it.
    process: u32,
}

/// Takes the lock if nobody has it.
///
/// Two locks taken through one opening of the file (a clone of the descriptor, or one inherited
/// by a fork) do not keep each other out: open the file twice.
///
/// # Errors
///
/// `EBADF` if the file is not open for writing; `ENOLCK` if there are no locks left.
pub fn try_lock(file: &File) -> Result<Option<Lock<'_>>> {
    match set(file, libc::F_WRLCK) {
        Ok(()) => Ok(Some(Lock { file, process: std::process::id() })),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(None),
        Err(errno) => Err(Error::new("fcntl", errno, sys::name_of(file))),
    }
}

/// Takes the lock, waiting for it for `patience` at most, in short naps: the sleeping form of
/// the call (`F_OFD_SETLKW`) starts again after each signal, and would sleep through a Ctrl-C.
///
/// # Errors
///
/// `EAGAIN` if somebody had it all the time; those of [`try_lock`].
pub fn lock_within(file: &File, patience: Duration) -> Result<Lock<'_>> {
    const SHORTEST: Duration = Duration::from_micros(50);
    const LONGEST: Duration = Duration::from_millis(5);
    let until = Instant::now().checked_add(patience);
    let mut nap = SHORTEST;
    loop {
        if let Some(lock) = try_lock(file)? {
            return Ok(lock);
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            return Err(Error::new("fcntl", Errno::EAGAIN, sys::name_of(file)));
        }
        thread::sleep(nap);
        nap = LONGEST.min(nap * 2);
    }
}

/// Whether anyone but this opening of the file holds the lock just now. Works on a file that is
/// open for reading only; and changes nothing.
///
/// # Errors
///
/// `ENOLCK` and others of fcntl(2).
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("mmap-lock-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// # let path = folder.join("file");
/// use mmap_file::lock::{is_locked, lock_within};
/// let mine = mmap_file::create_new(&path, 1, 0o600, |_| Ok(()))?;
/// let other = std::fs::File::open(&path)?;
/// let lock = lock_within(&mine, std::time::Duration::from_secs(1))?;
/// assert!(is_locked(&other)?);
/// drop(lock);
/// assert!(!is_locked(&other)?);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn is_locked(file: &File) -> Result<bool> {
    // "Could I have a read lock?": only a write lock stands in the way of that.
    let mut found = whole_file(libc::F_RDLCK);
    fcntl(file.as_fd(), FcntlArg::F_OFD_GETLK(&mut found))
        .map_err(|errno| Error::new("fcntl", errno, sys::name_of(file)))?;
    Ok(i32::from(found.l_type) != libc::F_UNLCK)
}

fn set(file: &File, kind: i32) -> nix::Result<()> {
    fcntl(file.as_fd(), FcntlArg::F_OFD_SETLK(&whole_file(kind))).map(drop)
}

/// All of the file, however long it gets. The process id has to be 0 for this kind of lock.
fn whole_file(kind: i32) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        // It fails only if the descriptor is bad, and `file` says that it is not.
        let _ = set(self.file, libc::F_UNLCK);
    }
}
