//! What stands behind a mapping: the kernel tells by the name.

use std::path::Path;

use super::Listed;

/// What stands behind a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing<'a> {
    /// A file, at this path when it was mapped.
    File(&'a Path),
    /// Memory with a descriptor and a name but no path: memfd_create(2).
    Memfd(&'a Path),
    /// A System V segment: shmget(2).
    Segment,
    /// Memory of no file, shared with children.
    SharedMemory,
    /// Huge pages from the pool (`MAP_HUGETLB`).
    HugePages,
    /// Memory of no file: `malloc` for large pieces, stacks of threads, variables set to zero.
    Anonymous,
    /// What brk(2) grows: `malloc` for small pieces.
    Heap,
    /// The stack of the main thread, which grows downwards by itself.
    Stack,
    /// Pages that the kernel lends every process: `[vdso]` and the like.
    Kernel(&'a Path),
}

impl Listed {
    /// What stands behind it, told by the name.
    pub fn backing(&self) -> Backing<'_> {
        let name = self.name.as_os_str().as_encoded_bytes();
        match name {
            // Each thread's stack had a name of its own before Linux 4.5; now only the main one's.
            b"[stack]" => Backing::Stack,
            b"[heap]" => Backing::Heap,
            _ if name.is_empty() || name.starts_with(b"[anon") => Backing::Anonymous,
            _ if name.starts_with(b"[") => Backing::Kernel(&self.name),
            b"/dev/zero (deleted)" => Backing::SharedMemory,
            b"/anon_hugepage (deleted)" => Backing::HugePages,
            _ if name.starts_with(b"/SYSV") && self.is_deleted() => Backing::Segment,
            _ if name.starts_with(b"/memfd:") => Backing::Memfd(&self.name),
            _ => Backing::File(&self.name),
        }
    }

    /// Whether bytes of a file stand behind it, which can be cut shorter.
    pub fn is_file(&self) -> bool {
        matches!(self.backing(), Backing::File(_) | Backing::Memfd(_))
    }
}
