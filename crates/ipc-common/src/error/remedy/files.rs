//! open(2), fstat(2), posix_fallocate(3), ftruncate(2), linkat(2), rename(2), fsync(2), fchown(2),
//! fcntl(2), inotify(7).

use super::Row;
use nix::errno::Errno::*;

pub(super) const ROWS: &[Row] = &[
    (
        "open",
        ENOENT,
        "there is no such file, or no such folder; check the path, or create it first",
    ),
    (
        "open",
        EACCES,
        "the file's mode, or that of a folder above it, keeps you out; see `ls -l`, or use a file of your own",
    ),
    ("open", EEXIST, "the file exists already; open it instead, or choose another name"),
    ("open", EISDIR, "this is a folder; name a file in it"),
    ("open", ENOTDIR, "something in the middle of the path is not a folder; check the path"),
    (
        "open",
        ELOOP,
        "this is a symbolic link, and following one here could lead into a file that someone else chose; name the file itself",
    ),
    (
        "open",
        ENXIO,
        "this is a FIFO or socket that nobody serves, or a device that is not there; name a regular file",
    ),
    ("open", ETXTBSY, "the file is a program that is running; copy it and use the copy"),
    ("open", ENOSPC, "no space or no inode is left for a new file; see `df -h` and `df -i`"),
    ("open", EINVAL, "the path holds a NUL byte or cannot name a file here; check it"),
    ("open", ENAMETOOLONG, "the path is too long; use a shorter one"),
    (
        "mkdir",
        EACCES,
        "you may not create anything there; set XDG_STATE_HOME to a folder of your own, or name a file",
    ),
    (
        "mkdir",
        ENOENT,
        "the folder above it is missing; set XDG_STATE_HOME to a folder that exists, or name a file",
    ),
    (
        "mkdir",
        ENOTDIR,
        "something in the middle of the path is not a folder; check XDG_STATE_HOME and HOME",
    ),
    (
        "posix_fallocate",
        ENOSPC,
        "the file system has no room for a file of this size; free some (`df -h`), or ask for less",
    ),
    (
        "posix_fallocate",
        EFBIG,
        "the file would be larger than the file system, or `ulimit -f`, allows; ask for less",
    ),
    (
        "posix_fallocate",
        ENODEV,
        "this is not a regular file, so it has no room to set aside; name a regular file",
    ),
    (
        "posix_fallocate",
        EOPNOTSUPP,
        "this file system cannot set room aside, and without that a full disk would kill the program (SIGBUS); use a file somewhere else",
    ),
    ("posix_fallocate", EBADF, "the file is not open for writing; open it read-write"),
    (
        "ftruncate",
        EINVAL,
        "the length is negative or larger than a file can be, or the file is not open for writing",
    ),
    (
        "ftruncate",
        EPERM,
        "the file is sealed or append-only, so its length cannot change; use another file",
    ),
    (
        "ftruncate",
        EFBIG,
        "the file would be larger than the file system, or `ulimit -f`, allows; ask for less",
    ),
    ("fork", EAGAIN, "the limit of processes is reached (`ulimit -u`); end some programs"),
    ("fork", ENOMEM, "there is no memory for another process; end some programs"),
    (
        "clone",
        EAGAIN,
        "there is no room for another thread (`ulimit -u`, `ulimit -v`); end some programs, or raise the limit",
    ),
    (
        "fsync",
        EIO,
        "the device failed while the file was written, and the kernel counts its pages as clean all the same: the data may be gone, and a later success does not bring it back; keep a copy, look at `dmesg`, and write it anew",
    ),
    ("fsync", EINVAL, "this file system cannot say when something is on the disk; use another one"),
    (
        "fsync",
        ENOSPC,
        "the file system found only now that it has no room for what was written; it may be gone, so free some and write it anew",
    ),
    (
        "fdatasync",
        EIO,
        "the device failed while the file was written, and the kernel counts its pages as clean all the same: the data may be gone, and a later success does not bring it back; keep a copy, look at `dmesg`, and write it anew",
    ),
    (
        "fchown",
        EPERM,
        "only root may give a file to somebody else, or to a group that one is not in",
    ),
    (
        "rename",
        EBUSY,
        "something is mounted on this very file (in containers, often), so it cannot be replaced; write into it instead",
    ),
    (
        "rename",
        EPERM,
        "the folder is one where only a file's owner may replace it (mode +t), or the file is immutable",
    ),
    (
        "rename",
        EISDIR,
        "a folder has taken this name meanwhile; see what it is, or use another name",
    ),
    ("linkat", EEXIST, "someone else created the file at the same moment; open theirs"),
    ("fcntl", EAGAIN, "another process holds the lock; wait for it, or end that process"),
    (
        "fcntl",
        ENOLCK,
        "the kernel or the file server has no lock left to give; use a file on a local disk",
    ),
    (
        "fcntl",
        EDEADLK,
        "waiting for this lock would never end: each waits for the other; release yours first",
    ),
    (
        "inotify_init",
        EMFILE,
        "this user has the full number of inotify instances (fs.inotify.max_user_instances); end some programs",
    ),
    (
        "inotify_add_watch",
        ENOSPC,
        "this user has the full number of inotify watches (fs.inotify.max_user_watches); end some programs",
    ),
];
