//! Namespaces for one case: its own mounts, and its own System V objects with their own limits.

use std::fs;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

use crate::{Folder, folder};

/// Moves this case into mount and IPC namespaces of its own (and a user namespace, if it is not
/// root). Call it first: a process with threads cannot enter a user namespace. Needs
/// [`crate::need::namespaces`].
pub fn enter_namespaces() {
    let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
    let mut flags = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC;
    if !user.is_root() {
        flags |= CloneFlags::CLONE_NEWUSER;
    }
    unshare(flags).expect("the case needs testkit::need::namespaces");
    if !user.is_root() {
        // In this order: gid_map may be written only once setgroups is denied.
        fs::write("/proc/self/setgroups", "deny").expect("setgroups");
        fs::write("/proc/self/uid_map", format!("0 {user} 1")).expect("uid_map");
        fs::write("/proc/self/gid_map", format!("0 {group} 1")).expect("gid_map");
    }
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).expect("private mounts");
}

/// A tmpfs of a few bytes, on a folder of this case's.
pub struct Tmpfs(Folder);

/// Enters namespaces of its own and mounts a tmpfs that holds `bytes` bytes.
pub fn small_tmpfs(bytes: usize) -> Tmpfs {
    enter_namespaces();
    let on = folder();
    let size = format!("size={bytes}");
    mount(Some("tmpfs"), on.path(), Some("tmpfs"), MsFlags::empty(), Some(size.as_str()))
        .expect("a tmpfs");
    Tmpfs(on)
}

impl Tmpfs {
    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = umount2(self.0.path(), MntFlags::MNT_DETACH);
    }
}
