//! shmget(2), shmop(2), shmctl(2), semget(2), semop(2), semctl(2), ftok(3).

use super::Row;
use nix::errno::Errno::*;

pub(super) const ROWS: &[Row] = &[
    (
        "ftok",
        ENOENT,
        "ftok reads the file's inode, so the file has to exist; create it, or give another path",
    ),
    (
        "ftok",
        EACCES,
        "a folder on the way to the file may not be searched; give a path that you can reach",
    ),
    ("ftok", ENOTDIR, "something on the way to the file is not a folder; check the path"),
    ("ftok", EINVAL, "the low 8 bits of the project must not be 0; give 1 to 255, or a letter"),
    (
        "shmget",
        EACCES,
        "a segment with this key belongs to someone else and its mode keeps you out; use another key, or ask the owner for a wider mode",
    ),
    (
        "shmget",
        EEXIST,
        "a segment with this key exists already; open it instead, remove it, or use another key",
    ),
    (
        "shmget",
        EINVAL,
        "the size is 0, above the system's SHMMAX, or larger than the segment that has this key; compare with `ipcs -m` and `ipcs -lm`",
    ),
    (
        "shmget",
        ENOENT,
        "there is no segment with this key; create it first, and check that both sides use the same key",
    ),
    (
        "shmget",
        ENOSPC,
        "the system has its full number of segments (SHMMNI) or of shared pages (SHMALL); remove unused ones: `ipcs -m`, `ipcrm -m ID`",
    ),
    ("shmget", ENOMEM, "the kernel has no memory for a segment this large; ask for less"),
    (
        "shmget",
        EPERM,
        "huge pages for shared memory need a privilege (CAP_IPC_LOCK); leave SHM_HUGETLB out",
    ),
    (
        "shmat",
        EACCES,
        "the segment's mode does not let you attach this way; attach read-only, or ask the owner for a wider mode",
    ),
    ("shmat", EIDRM, "the segment was removed; whoever created it has to create it again"),
    (
        "shmat",
        EINVAL,
        "there is no segment with this id, it was removed, or the address is taken or not aligned (SHM_RND rounds it down)",
    ),
    (
        "shmat",
        ENOMEM,
        "there is no room in this process's address space (see `ulimit -v`); detach something, or ask for less",
    ),
    ("shmdt", EINVAL, "nothing is attached at this address; it was detached already"),
    (
        "shmctl",
        EACCES,
        "the segment's mode does not let you read its state; ask the owner for read permission",
    ),
    (
        "shmctl",
        EPERM,
        "only the segment's owner, its creator or root may change or remove it; see `ipcs -m -c`",
    ),
    ("shmctl", EINVAL, "there is no segment with this id (any more); look at `ipcs -m`"),
    ("shmctl", EIDRM, "the segment was removed meanwhile; look at `ipcs -m`"),
    (
        "semget",
        EACCES,
        "a semaphore set with this key belongs to someone else and its mode keeps you out; use another key",
    ),
    (
        "semget",
        EEXIST,
        "a semaphore set with this key exists already; open it instead, or remove it",
    ),
    (
        "semget",
        EINVAL,
        "the set with this key has fewer semaphores than asked for: it is not one of ours; use another key",
    ),
    ("semget", ENOENT, "there is no semaphore set with this key; create it first"),
    (
        "semget",
        ENOSPC,
        "the system has its full number of semaphore sets (SEMMNI) or semaphores (SEMMNS); remove unused ones: `ipcs -s`, `ipcrm -s ID`",
    ),
    (
        "semop",
        EACCES,
        "the set's mode does not let you change its semaphores; ask the owner for a wider mode",
    ),
    ("semop", EAGAIN, "the operation would have to wait, and the time allowed for it is over"),
    ("semop", EIDRM, "the semaphore set was removed while it was in use; create it again"),
    ("semop", EINVAL, "there is no semaphore set with this id (any more); look at `ipcs -s`"),
    (
        "semop",
        EFBIG,
        "the set has fewer semaphores than this operation names: it is not one of ours",
    ),
    (
        "semop",
        ENOSPC,
        "the kernel has no undo record left (SEMMNU); end some programs that hold semaphores",
    ),
    (
        "semop",
        ERANGE,
        "the value would pass 32767 (SEMVMX); someone has been counting without taking back",
    ),
    (
        "semctl",
        EACCES,
        "the set's mode does not let you read or set its values; ask the owner for a wider mode",
    ),
    (
        "semctl",
        EPERM,
        "only the set's owner, its creator or root may change or remove it; see `ipcs -s -c`",
    ),
    ("semctl", EINVAL, "there is no semaphore set with this id (any more); look at `ipcs -s`"),
    ("semctl", EIDRM, "the semaphore set was removed meanwhile; look at `ipcs -s`"),
    ("semctl", ERANGE, "a semaphore's value lies between 0 and 32767 (SEMVMX)"),
];
