//! What the experiment needs and this machine lacks, and what to do about each.

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::path::Path;
use std::thread;

use ipc_common::{Errno, Error};
use nix::sys::utsname::uname;
use nix::unistd::geteuid;

use super::{disk, image, loop_device, stage};

/// One thing that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What.
    pub what: String,
    /// What to do.
    pub remedy: Cow<'static, str>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.remedy)
    }
}

/// All that is missing for the experiment; nothing, if it can be done here. Everything is tried, so
/// that nobody has to come back for the next thing.
pub fn missing() -> Vec<Missing> {
    let lacks =
        |what: &str, remedy: &'static str| Missing { what: what.into(), remedy: remedy.into() };
    let mut all = Vec::new();
    if !geteuid().is_root() {
        all.push(lacks("root", "mounting needs it; use sudo"));
    }
    let fuse = disk::open_device().err().map(|error| error.errno());
    let remedy = "`modprobe fuse`; in a container, start it with --device /dev/fuse";
    all.extend(device("/dev/fuse", fuse, remedy));
    let control = loop_device::control().err().map(|error| error.errno());
    let remedy = "`modprobe loop`; in a container, start it with --privileged";
    all.extend(device("/dev/loop-control", control, remedy));
    if !kernel_has("ext4") {
        all.push(lacks("ext4 in this kernel", "`modprobe ext4`, or use another kernel"));
    }
    if image::mkfs().is_none() {
        all.push(lacks("mkfs.ext4", "install the package e2fsprogs"));
    }
    all.extend(no_namespace());
    all
}

/// A device that could not be opened. That an ordinary user may not says nothing about what root
/// would find.
fn device(path: &str, errno: Option<Errno>, remedy: &'static str) -> Option<Missing> {
    let errno = errno?;
    let denied = matches!(errno, Errno::EACCES | Errno::EPERM) && !geteuid().is_root();
    (!denied).then(|| Missing { what: format!("{path} ({errno:?})"), remedy: remedy.into() })
}

/// Whether the kernel has the file system, or a module for it that it would load by itself.
fn kernel_has(kind: &str) -> bool {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if known.lines().any(|line| line.split_whitespace().last() == Some(kind)) {
        return true;
    }
    let release = uname().map(|names| names.release().to_owned()).unwrap_or_default();
    let modules = Path::new("/lib/modules").join(release).join("modules.dep");
    let file = format!("/{kind}.ko");
    let listed = fs::read_to_string(modules).unwrap_or_default();
    listed.lines().any(|line| line.split(':').next().unwrap_or("").contains(&file))
}

/// Tries a mount namespace, on a thread that then ends, and the namespace with it. An ordinary
/// user, who has none, has been told so already.
fn no_namespace() -> Option<Missing> {
    if !geteuid().is_root() {
        return None;
    }
    let tried = thread::Builder::new()
        .spawn(stage::own_namespace)
        .map_err(|error| Error::from_io("clone", &error, "a thread"))
        .and_then(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
    let error = tried.err()?;
    let what = format!("{} ({}: {:?})", error.about(), error.call(), error.errno());
    Some(Missing { what, remedy: error.remedy().to_owned().into() })
}
