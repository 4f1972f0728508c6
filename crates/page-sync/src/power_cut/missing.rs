//! What the experiment needs and this machine lacks, and what to do about each.

use std::fmt;
use std::fs;
use std::path::Path;
use std::thread;

use ipc_common::{Errno, Error};
use nix::sys::utsname::uname;
use nix::unistd::geteuid;

use super::{disk, format, loop_device, stage};

/// One thing that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.remedy)
    }
}

/// All that is missing for the experiment; nothing, if it can be done here. Everything is tried, so
/// that nobody has to come back for the next thing.
pub fn missing() -> Vec<Missing> {
    let mut all = Vec::new();
    let mut lacks = |what: String, remedy| all.push(Missing { what, remedy });
    let root = geteuid().is_root();
    if !root {
        lacks("root".into(), "mounting needs it; run the same command by sudo");
    }
    // An ordinary user may not look, which says nothing about what root will find.
    let denied = |errno| !root && matches!(errno, Some(libc::EACCES | libc::EPERM));
    let device = disk::open_device().map(drop).map_err(|error| error.errno() as i32);
    if let Err(errno) = device.map_err(Some).and_then(|()| kernel_has("fuse").map_err(|()| None)) {
        if !denied(errno) {
            lacks(
                format!("/dev/fuse{}", named(errno)),
                "`modprobe fuse`; in a container, start it with --device /dev/fuse",
            );
        }
    }
    if let Err(error) = loop_device::available() {
        if !denied(error.raw_os_error()) {
            lacks(
                format!("/dev/loop-control{}", named(error.raw_os_error())),
                "`modprobe loop`; in a container, start it with --privileged",
            );
        }
    }
    if kernel_has("ext4").is_err() {
        lacks("ext4 in this kernel".into(), "`modprobe ext4`, or use another kernel");
    }
    if format::mkfs().is_none() {
        lacks("mkfs.ext4".into(), "install the package e2fsprogs");
    }
    if root {
        if let Err(error) = a_namespace() {
            lacks(
                format!("a mount namespace ({}: {:?})", error.call(), error.errno()),
                "root needs CAP_SYS_ADMIN; start the container with --privileged, or use the machine itself",
            );
        }
    }
    all
}

fn named(errno: Option<i32>) -> String {
    errno.map(|errno| format!(" ({:?})", Errno::from_raw(errno))).unwrap_or_default()
}

/// Whether the kernel has the file system, or a module for it that it would load by itself.
fn kernel_has(kind: &str) -> Result<(), ()> {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if known.lines().any(|line| line.split_whitespace().last() == Some(kind)) {
        return Ok(());
    }
    let release = uname().map(|names| names.release().to_owned()).unwrap_or_default();
    let modules = Path::new("/lib/modules").join(release).join("modules.dep");
    let file = format!("/{kind}.ko");
    let listed = fs::read_to_string(modules).unwrap_or_default();
    if listed.lines().any(|line| line.split(':').next().unwrap_or("").contains(&file)) {
        Ok(())
    } else {
        Err(())
    }
}

/// Tries one, on a thread that then ends, and the namespace with it.
fn a_namespace() -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::from_io("clone", &error, "a thread");
    let thread = thread::Builder::new().spawn(stage::own_namespace).map_err(failed)?;
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
