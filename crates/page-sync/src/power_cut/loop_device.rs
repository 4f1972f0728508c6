//! Loop devices: a file that the kernel takes for a disk (loop(4)).

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ipc_common::{Errno, Error, Result};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use crate::sys;

/// How often another program may be faster than we are.
const TRIES: usize = 100;

/// How long a device may be kept after its last user has gone. Others may have it open for a
/// moment: udev looks at every new disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// A loop device, configured to let go of its file by itself once nobody uses it
/// (LO_FLAGS_AUTOCLEAR): so a `kill -9` cannot leave one behind.
#[derive(Debug)]
pub(super) struct LoopDevice {
    number: u32,
    path: PathBuf,
    /// Keeps it until it is mounted.
    open: File,
}

impl LoopDevice {
    /// Has a free loop device show `backing`. In `nodes`, a folder on a file system that allows
    /// devices, a node is made if `/dev` has none, as in containers.
    pub fn attach(backing: &File, name: &str, nodes: &Path) -> Result<LoopDevice> {
        let control = control()?;
        for _ in 0..TRIES {
            let number = sys::free_loop_device(control.as_fd())
                .map_err(|errno| Error::new("LOOP_CTL_GET_FREE", errno, "/dev/loop-control"))?;
            let path = node(number, nodes)?;
            let device = open(&path)?;
            // Between the question and this, somebody else may have taken it.
            match sys::configure_loop_device(device.as_fd(), backing.as_fd()) {
                Ok(()) => return Ok(LoopDevice { number, path, open: device }),
                Err(Errno::EBUSY) => {}
                Err(errno) => {
                    let about = format!("{}, {name}", path.display());
                    return Err(Error::new("LOOP_CONFIGURE", errno, about));
                }
            }
        }
        Err(Error::refused("LOOP_CONFIGURE", Errno::EBUSY, name).with_remedy(
            "others took every loop device that was free; see `losetup --list`, and try again",
        ))
    }

    /// The device's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// To be called once it is mounted: from then on the mount keeps it. What is returned knows
    /// its number, and no more.
    pub fn mounted(self) -> Number {
        drop(self.open);
        Number(self.number)
    }
}

/// The number of a loop device that something else keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(u32);

impl Number {
    /// How many flushes the block layer has completed on it: the sixteenth number of its `stat`
    /// (Documentation/block/stat.rst). `None` where sysfs does not say.
    pub fn flushes(self) -> Option<u64> {
        let stat = fs::read_to_string(format!("/sys/block/loop{}/stat", self.0)).ok()?;
        stat.split_whitespace().nth(15)?.parse().ok()
    }

    /// Waits until the device has let go of the file that is called `name`.
    pub fn wait_until_free(self, name: &str) -> Result<()> {
        let backing = format!("/sys/block/loop{}/loop/backing_file", self.0);
        let until = Instant::now() + PATIENCE;
        // It may be somebody else's by then, with another file.
        while fs::read_to_string(&backing).is_ok_and(|file| file.contains(name)) {
            if Instant::now() > until {
                let about = format!("/dev/loop{}, {name}", self.0);
                return Err(Error::refused("loop", Errno::EBUSY, about).with_remedy(
                    "it is unmounted, and yet somebody keeps it open; see `lsof`, then \
                     `losetup --detach`",
                ));
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

/// Waits until no loop device shows a file whose name holds `name`, after the process that had it
/// mounted was killed. It waits no longer than [`PATIENCE`].
pub(super) fn wait_until_none_shows(name: &str) {
    let until = Instant::now() + PATIENCE;
    let shows = |entry: fs::DirEntry| {
        fs::read_to_string(entry.path().join("loop/backing_file")).is_ok_and(|f| f.contains(name))
    };
    let one_does = || fs::read_dir("/sys/block").into_iter().flatten().flatten().any(shows);
    while one_does() && Instant::now() < until {
        thread::sleep(Duration::from_millis(1));
    }
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| Error::from_io("open", &error, path.display().to_string()))
}

/// Where the device is found: in `/dev`, or else in `nodes`.
fn node(number: u32, nodes: &Path) -> Result<PathBuf> {
    /// linux/major.h: LOOP_MAJOR.
    const MAJOR: u64 = 7;
    let usual = PathBuf::from(format!("/dev/loop{number}"));
    if fs::metadata(&usual).is_ok_and(|found| found.file_type().is_block_device()) {
        return Ok(usual);
    }
    let own = nodes.join(format!("loop{number}"));
    match mknod(
        &own,
        SFlag::S_IFBLK,
        Mode::from_bits_truncate(0o600),
        makedev(MAJOR, number.into()),
    ) {
        Ok(()) | Err(Errno::EEXIST) => Ok(own),
        Err(errno) => Err(Error::new("mknod", errno, own.display().to_string())),
    }
}

/// What tells which loop device is free.
pub(super) fn control() -> Result<File> {
    open("/dev/loop-control".as_ref())
}
