//! The disk: a process of its own, which the kernel asks for every byte.
//!
//! It lives in a process so that it can die as a disk does, and outside the namespace that has it
//! mounted: its own end then never waits for a mount that waits for it.

mod cache;
mod files;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use fuser::{Config, Session, SessionACL};
use ipc_common::{Errno, Error, Result};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};

use cache::Counters;
use files::Files;

/// How large the disk is: room for ext4 with a journal, and little to copy.
pub(super) const BYTES: usize = 16 << 20;

/// How long a process may take from its last file to its end.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// The file whose opening is the power cut: it shows what is left.
const PLATTER: &str = "platter";
/// The file that shows what the disk was asked to do.
const COUNTERS: &str = "counters";

/// What kind of disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskKind {
    /// Its cache forgets, and a flush empties it onto the platter: as the standards say.
    Honest,
    /// It has no cache: what is written is on the platter at once. The experiment has to find out
    /// that it cannot show anything with this one.
    WithoutCache,
    /// It says that it has flushed, and has not, once there is a file system on it: beyond any
    /// program's help. The experiment has to find out that promises are broken on this one.
    Lying,
}

/// What the process that is the disk does: serves until its input ends, or its parent dies. Called
/// by the command that [`Experiment::new`](super::Experiment::new) was given, with a name for the
/// disk's file; standard input is the parent's hand, standard output is `/dev/fuse`.
///
/// # Errors
///
/// Those of read(2) if standard output is no FUSE device, as when somebody types the command.
pub fn serve_disk(name: &OsStr, kind: DiskKind) -> Result<()> {
    // Two ropes. A parent that is killed closes our input, but not while one of its threads waits
    // for a disk that is stopped (SIGSTOP): then this one pulls.
    set_pdeathsig(Signal::SIGKILL).map_err(|errno| Error::new("prctl", errno, "the disk"))?;
    // A Ctrl-C goes to all processes of a terminal. We are needed until the file system is unmounted.
    let deaf: SigSet =
        [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT].into_iter().collect();
    deaf.thread_block().map_err(|errno| Error::new("sigprocmask", errno, "the disk"))?;
    let mut hand = io::stdin();
    // The kernel has a first question as soon as we are mounted; before, there is nobody to read
    // from (EPERM).
    if hand.read_exact(&mut [0]).is_err() {
        return Ok(());
    }
    let device: OwnedFd = io::stdout().as_fd().try_clone_to_owned().map_err(not_mounted)?;
    let files = Files::new(name.to_owned(), BYTES, kind);
    // One thread: what is asked for is done in that order.
    let session = Session::from_fd(files, device, SessionACL::Owner, Config::default())
        .and_then(Session::spawn)
        .map_err(not_mounted)?;
    // Whatever it says, its end is what counts.
    let _ = io::copy(&mut hand, &mut io::sink());
    // Not `join`: it would wait for the unmount, and the parent may not be there to do it. Leaving
    // closes the device, and the kernel answers EIO and ENOTCONN for us from then on.
    drop(session);
    Ok(())
}

fn not_mounted(error: io::Error) -> Error {
    Error::from_io("fuse", &error, "the disk").with_remedy(
        "standard output has to be /dev/fuse, mounted; this command is for `power-cut` to start, \
         not to be typed",
    )
}

/// The running disk. Killed when dropped.
#[derive(Debug)]
pub(super) struct Disk {
    child: Mutex<Child>,
    name: String,
    pid: u32,
}

impl Disk {
    /// Starts the process. `device` is what it serves, once it is mounted.
    pub fn start(mut command: Command, device: &File, name: &str) -> Result<Disk> {
        let device =
            device.try_clone().map_err(|error| Error::from_io("dup", &error, "/dev/fuse"))?;
        let child = command
            .arg(name)
            .stdin(Stdio::piped())
            .stdout(Stdio::from(device))
            .spawn()
            .map_err(|error| Error::from_io("fork", &error, format!("the disk, {name}")))?;
        let pid = child.id();
        Ok(Disk { child: Mutex::new(child), name: name.to_owned(), pid })
    }

    /// What its file is called, also in `losetup --list`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells it that it is mounted.
    pub fn mounted(&self) -> Result<()> {
        let mut child = self.child();
        let Some(hand) = child.stdin.as_mut() else { return Ok(()) };
        hand.write_all(b"m").map_err(|error| Error::from_io("write", &error, self.about()))
    }

    /// Its end, if it has come. Asked after an error, and so patiently: a process that is killed
    /// first closes its files, upon which whoever waits gets EIO, and then ends.
    pub fn ended(&self) -> Option<ExitStatus> {
        let until = Instant::now() + LAST_MOMENT;
        loop {
            match self.child().try_wait() {
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(1)),
                ended => return ended.ok().flatten(),
            }
        }
    }

    /// Ends it. Whoever waits for it gets EIO.
    pub fn kill(&self) {
        // Fails only if it has gone already.
        let _ = self.child().kill();
    }

    pub fn about(&self) -> String {
        format!("the disk, process {}", self.pid)
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.kill();
        // It cannot be stuck: it waits for nobody, and mounts nothing.
        let _ = self.child().wait();
    }
}

/// `/dev/fuse`, for a new disk.
pub(super) fn open_device() -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/fuse")
        .map_err(|error| Error::from_io("open", &error, "/dev/fuse"))
}

/// What the disk that is mounted at `folder` was asked to do so far; after the cut, up to there.
pub(super) fn counters(folder: &Path) -> Result<Counters> {
    let path = folder.join(COUNTERS);
    let text = fs::read_to_string(&path)
        .map_err(|error| Error::from_io("read", &error, path.display().to_string()))?;
    let mut numbers = text.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(written)), Some(Ok(flushes))) => Ok(Counters { written, flushes }),
        _ => Err(Error::refused("read", Errno::EPROTO, format!("{}: {text:?}", path.display()))),
    }
}

/// The platter of the disk that is mounted at `folder`, as it is at this moment. **This is the
/// power cut**: what it shows was safe, and nothing that happens later changes it.
pub(super) fn cut(folder: &Path) -> Result<File> {
    let path = folder.join(PLATTER);
    File::open(&path).map_err(|error| Error::from_io("open", &error, path.display().to_string()))
}
