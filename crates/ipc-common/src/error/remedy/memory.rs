//! mmap(2), munmap(2), mprotect(2), msync(2), madvise(2), mremap(2), futex(2), and our own view.

use super::Row;
use nix::errno::Errno::*;

pub(super) const ROWS: &[Row] = &[
    (
        "mmap",
        EACCES,
        "a mapping needs a regular file that is open for reading, and a shared writable one a file open for reading and writing; open the file that way",
    ),
    ("mmap", EAGAIN, "the file is locked, or more memory would be locked than `ulimit -l` allows"),
    ("mmap", EBADF, "the file is not open (any more); open it again"),
    (
        "mmap",
        EEXIST,
        "something is mapped at this address already; choose another, or ask for replacing by name",
    ),
    (
        "mmap",
        EINVAL,
        "the length is 0, or the address or offset is not a multiple of the page size",
    ),
    ("mmap", EMFILE, "this process has the full number of mappings (vm.max_map_count); unmap some"),
    (
        "mmap",
        ENODEV,
        "this kind of file cannot be mapped (a folder, a FIFO, a terminal, many files of /proc); name a regular file",
    ),
    (
        "mmap",
        ENOMEM,
        "there is no room in this process's address space (see `ulimit -v`), or it has the full number of mappings (vm.max_map_count); unmap something, or ask for less",
    ),
    ("mmap", EOVERFLOW, "offset and length together are more than a file can hold; ask for less"),
    (
        "mmap",
        EPERM,
        "the file system forbids execution (noexec), or the address is below vm.mmap_min_addr, or a seal forbids writing",
    ),
    (
        "munmap",
        EINVAL,
        "the address or length is not a multiple of the page size (huge pages count with their own size)",
    ),
    (
        "munmap",
        ENOMEM,
        "cutting a hole would need more mappings than this process may have (vm.max_map_count)",
    ),
    (
        "mprotect",
        EACCES,
        "the file was opened in a way that does not allow this protection; open it read-write",
    ),
    (
        "mprotect",
        ENOMEM,
        "part of the range is not mapped, or more mappings would be needed than vm.max_map_count allows",
    ),
    ("mprotect", EINVAL, "the address is not a multiple of the page size"),
    (
        "mremap",
        ENOMEM,
        "there is no room in this process's address space (see `ulimit -v`); unmap something, or ask for less",
    ),
    (
        "msync",
        EBUSY,
        "MS_INVALIDATE was asked for pages that are locked in memory; unlock them first (munlock)",
    ),
    (
        "msync",
        EINVAL,
        "the address is not a multiple of the page size, or the flags contradict each other",
    ),
    (
        "msync",
        EIO,
        "the device failed while the pages were written; the data may be gone, so keep a copy and look at `dmesg`",
    ),
    (
        "msync",
        ENOMEM,
        "part of the range is not mapped: some code of this process has unmapped it; what was mapped has been synced",
    ),
    (
        "madvise",
        EINVAL,
        "the advice does not fit this kind of mapping, or the range is not aligned",
    ),
    ("madvise", EAGAIN, "the kernel could not do it just now; try again"),
    ("madvise", ENOMEM, "part of the range is not mapped"),
    (
        "madvise",
        EFAULT,
        "a page could not be read in: the file is shorter than the mapping, or the device failed",
    ),
    ("futex", EAGAIN, "the value had changed already; look at it again"),
    ("futex", ETIMEDOUT, "nobody woke us in the time allowed"),
    (
        "process_vm_readv",
        EPERM,
        "you may not look into this process; it has to be yours (see ptrace(2) on ptrace_scope)",
    ),
];
