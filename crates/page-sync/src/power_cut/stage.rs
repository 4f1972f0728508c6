//! Mounts that nobody else sees, and that cannot outlive us.
//!
//! The process that does a trial has a mount namespace of its own (unshare(2), CLONE_NEWNS). In it, a
//! tmpfs covers `/mnt`, and holds all mount points and files of the trial. So nothing has a name
//! outside, and whatever ends the process, `kill -9` too, ends the namespace with all that is
//! mounted in it.

use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};

use ipc_common::{Errno, Error, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

use super::disk;

/// Nothing of what we mount is to be run.
const HARMLESS: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NOEXEC);

/// Folders that are there for something to be mounted on them (hier(7)); nothing that we run lies
/// below one of them.
const FOLDERS: [&str; 3] = ["/mnt", "/media", "/tmp"];

/// The covered folder.
#[derive(Debug)]
pub(super) struct Stage {
    tmpfs: Mounted,
}

impl Stage {
    /// Gives this process a mount namespace of its own, for good, and covers the folder.
    pub fn enter(name: &str) -> Result<Stage> {
        own_namespace()?;
        let folder = FOLDERS.map(Path::new).into_iter().find(|folder| folder.is_dir());
        let folder = folder.ok_or_else(|| {
            Error::refused("mount", Errno::ENOENT, FOLDERS.join(", "))
                .with_remedy("there is no folder to mount anything on; create one of these")
        })?;
        // Room for the disk's copy. Not `nodev`: there may have to be device nodes.
        let options = format!("mode=700,size={}", disk::BYTES + (1 << 20));
        let tmpfs = Mounted::new(name, folder, "tmpfs", HARMLESS, &options)?;
        Ok(Stage { tmpfs })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.tmpfs.on
    }

    /// A path in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Mounts something on a new folder in it.
    pub fn mount(
        &self,
        what: &Path,
        on: &str,
        kind: &str,
        flags: MsFlags,
        options: &str,
    ) -> Result<Mounted> {
        let on = self.file(on);
        match fs::create_dir(&on) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(Error::from_io("mkdir", &error, on.display().to_string()));
            }
            _ => {}
        }
        let what = what.display().to_string();
        Mounted::new(&what, &on, kind, flags | HARMLESS | MsFlags::MS_NODEV, options)
    }

    /// Mounts the three files of the disk that is called `name` and will serve `device`,
    /// `/dev/fuse`.
    pub fn mount_disk(&self, name: &str, device: impl AsFd) -> Result<Mounted> {
        let fd = device.as_fd().as_raw_fd();
        let options = format!("fd={fd},rootmode=40000,user_id=0,group_id=0");
        self.mount(Path::new(name), "disk", "fuse", MsFlags::MS_NOATIME, &options)
    }

    /// Ends it, and says if that fails.
    pub fn close(self) -> Result<()> {
        self.tmpfs.unmount()
    }
}

/// A mount namespace for the calling thread alone, from which nothing spreads to others.
pub(super) fn own_namespace() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(|errno| {
        Error::new("unshare", errno, "a mount namespace").with_remedy(
            "root needs CAP_SYS_ADMIN; start the container with --privileged, or use the machine \
             itself",
        )
    })?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).map_err(|errno| {
        Error::new("mount", errno, "/, as private")
            .with_remedy("in a chroot(2) that is no mount point this does not work; use another")
    })
}

/// Something mounted, unmounted when dropped.
#[derive(Debug)]
pub(super) struct Mounted {
    on: PathBuf,
    gone: bool,
}

impl Mounted {
    fn new(what: &str, on: &Path, kind: &str, flags: MsFlags, options: &str) -> Result<Mounted> {
        mount(Some(what), on, Some(kind), flags, Some(options)).map_err(|errno| {
            Error::new("mount", errno, format!("{kind} {what} on {}, {options}", on.display()))
                .with_remedy("the kernel does not mount this; `dmesg | tail` says why")
        })?;
        Ok(Mounted { on: on.to_owned(), gone: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.on
    }

    /// Unmounts now, and says if that fails. umount(2) returns when all is written and let go.
    pub fn unmount(mut self) -> Result<()> {
        let done = umount2(&self.on, MntFlags::UMOUNT_NOFOLLOW);
        self.gone = done.is_ok();
        done.map_err(|errno: Errno| {
            Error::new("umount", errno, self.on.display().to_string())
                .with_remedy("something in it is still open; it goes when this command ends")
        })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if !self.gone {
            // After a failure something may still be open: then it goes when that is closed.
            let _ = umount2(&self.on, MntFlags::MNT_DETACH);
        }
    }
}
