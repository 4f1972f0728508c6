//! Which file system a file is on: half of what there is to know about what a source is worth.

use std::fmt;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::sys::statfs::fstatfs;

use super::{Answer, Reason};

/// A file system, by name and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    name: String,
    kind: Kind,
}

/// What a file system is, as far as pages are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// On a disk of this machine: what the sources were made for.
    Disk,
    /// On a disk, with a cache of its own beside the page cache (ZFS).
    OwnCache,
    /// In memory only: tmpfs, ramfs. memfd and System V segments are tmpfs, too.
    Memory,
    /// Huge pages.
    HugePages,
    /// Layers of other file systems.
    Overlay,
    /// On another machine.
    Network,
    /// Served by a process (FUSE).
    User,
    /// Made up by the kernel while it is read: proc, sysfs and their like.
    Pseudo,
    /// One that this crate does not know.
    Other,
}

use Kind::{Disk, HugePages, Memory, Network, Other, Overlay, OwnCache, Pseudo, User};

/// `f_type` of statfs(2), by linux/magic.h and the file systems' own sources.
const MAGIC: &[(u32, &str, Kind)] = &[
    (0x0000_ef53, "ext2/3/4", Disk),
    (0x5846_5342, "xfs", Disk),
    (0x9123_683e, "btrfs", Disk),
    (0xf2f5_2010, "f2fs", Disk),
    (0xca45_1a4e, "bcachefs", Disk),
    (0x0000_4d44, "vfat", Disk),
    (0x2011_bab0, "exfat", Disk),
    (0x5346_544e, "ntfs", Disk),
    (0x7366_746e, "ntfs3", Disk),
    (0x0000_9660, "iso9660", Disk),
    (0x7371_7368, "squashfs", Disk),
    (0xe0f5_e1e2, "erofs", Disk),
    (0x2fc1_2fc1, "zfs", OwnCache),
    (0x0102_1994, "tmpfs", Memory),
    (0x8584_58f6, "ramfs", Memory),
    (0x9584_58f6, "hugetlbfs", HugePages),
    (0x794c_7630, "overlay", Overlay),
    (0x0000_6969, "nfs", Network),
    (0xfe53_4d42, "smb2", Network),
    (0xff53_4d42, "cifs", Network),
    (0x00c3_6400, "ceph", Network),
    (0x0102_1997, "9p", Network),
    (0x5346_414f, "afs", Network),
    (0x0bd0_0bd0, "lustre", Network),
    (0x6573_5546, "fuse", User),
    (0x0000_9fa0, "proc", Pseudo),
    (0x6265_6572, "sysfs", Pseudo),
    (0x6462_6720, "debugfs", Pseudo),
    (0x7472_6163, "tracefs", Pseudo),
    (0x0027_e0eb, "cgroup", Pseudo),
    (0x6367_7270, "cgroup2", Pseudo),
    (0x7363_6673, "securityfs", Pseudo),
    (0x6265_6570, "configfs", Pseudo),
    (0xcafe_4a11, "bpf", Pseudo),
    (0xde5e_81e4, "efivarfs", Pseudo),
    (0xf97c_ff8c, "selinux", Pseudo),
    (0x6165_676c, "pstore", Pseudo),
    (0x4249_4e4d, "binfmt_misc", Pseudo),
    (0x6e73_6673, "nsfs", Pseudo),
    (0x0904_1934, "anon_inode", Pseudo),
];

impl FileSystem {
    /// That of an open file, by fstatfs(2); and its name as mounted, where /proc tells: the number
    /// is the same for ext2, ext3 and ext4, and for all that is served by FUSE.
    pub fn of(file: impl AsFd) -> Answer<FileSystem> {
        let fd = file.as_fd();
        let found = match fstatfs(fd) {
            Ok(found) => found,
            Err(errno) => return Answer::Unknown(Reason::Failed { call: "fstatfs", errno }),
        };
        // Signed and of another width on some architectures; the numbers have 32 bits.
        let FileSystem { name, kind } = FileSystem::by_magic(found.filesystem_type().0 as u32);
        Answer::Known(FileSystem { name: mounted_as(fd).unwrap_or(name), kind })
    }

    /// By the number that statfs(2) gives.
    pub fn by_magic(magic: u32) -> FileSystem {
        match MAGIC.iter().find(|(number, ..)| *number == magic) {
            Some((_, name, kind)) => FileSystem { name: (*name).into(), kind: *kind },
            None => FileSystem { name: format!("type {magic:#x}"), kind: Other },
        }
    }

    /// Its name: `ext4`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, as far as pages are concerned.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What "clean" means there, in a sentence: for most of those who ask about msync, the one
    /// thing to know.
    pub fn clean_means(&self) -> &'static str {
        match self.kind {
            Network => {
                "clean: the server has it; whether it is on the server's disk is not known here"
            }
            User => {
                "clean: the process that serves this file system has it; what that did with it is \
                 not known here"
            }
            Memory => "nothing is ever clean here: there is no disk, and at power-off all is gone",
            OwnCache => "clean: handed to the file system, which has a cache of its own",
            _ => {
                "clean: handed to the device; whether that has flushed its own cache, the page \
                 cache does not know"
            }
        }
    }
}

impl fmt::Display for FileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The type of the mount that the file was opened on, `None` if /proc does not list it: that of a
/// memfd, for one.
fn mounted_as(fd: BorrowedFd<'_>) -> Option<String> {
    let about = fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).ok()?;
    let id = about.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim();
    // Bytes: a mount point may have any name.
    let mounts = fs::read("/proc/self/mountinfo").ok()?;
    mounts.split(|byte| *byte == b'\n').find_map(|line| mount_type(line, id))
}

/// `36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw` for mount 36: `ext3`
/// (proc_pid_mountinfo(5)).
fn mount_type(line: &[u8], id: &str) -> Option<String> {
    let line = String::from_utf8_lossy(line);
    let (mount, filesystem) = line.split_once(" - ")?;
    if mount.split(' ').next()? != id {
        return None;
    }
    filesystem.split(' ').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_found_by_its_id() {
        let line = b"36 35 98:0 /a\xff /mnt\\0402 rw master:1 - fuse.sshfs host: rw";
        assert_eq!(mount_type(line, "36").as_deref(), Some("fuse.sshfs"));
        assert_eq!(mount_type(line, "3"), None);
        assert_eq!(mount_type(b"", ""), None);
    }

    #[test]
    fn every_number_stands_once_and_an_unknown_one_is_named_by_itself() {
        for (at, (magic, ..)) in MAGIC.iter().enumerate() {
            assert!(MAGIC[..at].iter().all(|(other, ..)| other != magic), "{magic:#x}");
        }
        assert_eq!(FileSystem::by_magic(0x1234).to_string(), "type 0x1234");
    }

    #[test]
    fn proc_is_a_pseudo_file_system() {
        let found = FileSystem::of(fs::File::open("/proc/self/stat").unwrap()).known().unwrap();
        assert_eq!((found.name(), found.kind()), ("proc", Pseudo));
    }
}
