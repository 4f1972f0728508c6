//! The disk: a process of its own, which the kernel asks for every byte.
//!
//! It can die as a disk does. And neither it nor the process that started it has anything mounted
//! or open there: whoever has, waits for the disk when it ends, in state D, and must not be the one
//! on whose end the disk's own end depends. (Tried: with the disk as the last process in the
//! machine's namespace, 5 of 12 `kill -9` hung for ever.)

mod cache;
mod files;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fuser::{Config, Session, SessionACL};
use ipc_common::{Errno, Error, Result};

use cache::Counters;
use files::Files;

use crate::sys;

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
    /// It cannot flush, once there is a file system on it, and says so: EIO.
    Failing,
}

impl DiskKind {
    const ALL: [DiskKind; 4] =
        [DiskKind::Honest, DiskKind::WithoutCache, DiskKind::Lying, DiskKind::Failing];

    fn name(self) -> &'static str {
        match self {
            DiskKind::Honest => "honest",
            DiskKind::WithoutCache => "without-cache",
            DiskKind::Lying => "lying",
            DiskKind::Failing => "failing",
        }
    }

    pub(super) fn by_name(name: &str) -> Option<DiskKind> {
        DiskKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Is the disk, until it is killed or unmounted. Standard input is what is on its platter, standard
/// output is `/dev/fuse`, mounted: then the kernel has a first question already.
pub(super) fn serve(kind: DiskKind, name: &OsStr) -> Result<()> {
    let image = File::from(io::stdin().as_fd().try_clone_to_owned().map_err(unusable)?);
    let mut platter = vec![0; BYTES];
    image.read_exact_at(&mut platter, 0).map_err(unusable)?;
    let device: OwnedFd = io::stdout().as_fd().try_clone_to_owned().map_err(unusable)?;
    // One thread: what is asked for is done in that order.
    let files = Files::new(name.to_owned(), platter, kind);
    Session::from_fd(files, device, SessionACL::Owner, Config::default())
        .and_then(Session::run)
        .or_else(|error| if was_unmounted(&error) { Ok(()) } else { Err(unusable(error)) })
}

/// Whether nobody needs the disk any more. At most moments the session ends without an error then;
/// not before its first answer, and not while a question is on its way.
fn was_unmounted(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotConnected | io::ErrorKind::ConnectionAborted)
}

fn unusable(error: io::Error) -> Error {
    Error::from_io("fuse", &error, "the disk").with_remedy(
        "standard input has to be its platter and standard output /dev/fuse, mounted; this command \
         is for `power-cut` to start, not to be typed",
    )
}

/// The running disk. Killed when dropped.
#[derive(Debug)]
pub(super) struct Disk {
    child: Child,
}

impl Disk {
    /// Starts the process. `device` is what it serves: mounted, and nobody else's any more, for the
    /// kernel gives up a disk only when nobody has it open.
    pub fn start(
        mut command: Command,
        kind: DiskKind,
        name: &str,
        image: &File,
        device: File,
    ) -> Result<Disk> {
        let image =
            image.try_clone().map_err(|error| Error::from_io("dup", &error, "the image"))?;
        command.args(["disk", kind.name(), name]);
        command.stdin(Stdio::from(image)).stdout(Stdio::from(device));
        sys::die_with_parent(&mut command);
        let child = command
            .spawn()
            .map_err(|error| Error::from_io("fork", &error, format!("the disk, {name}")))?;
        Ok(Disk { child })
    }

    /// Its end, if it has come. Asked after an error, and so patiently: a process that is killed
    /// first closes its files, upon which whoever waits gets EIO, and then ends.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let until = Instant::now() + LAST_MOMENT;
        loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(1)),
                ended => return ended.ok().flatten(),
            }
        }
    }

    /// Ends it. Whoever waits for it gets EIO.
    pub fn kill(&mut self) {
        // Fails only if it has gone already.
        let _ = self.child.kill();
    }

    pub fn about(&self) -> String {
        format!("the disk, process {}", self.child.id())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.kill();
        // It cannot be stuck: it waits for nobody, and has nothing mounted.
        let _ = self.child.wait();
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
