//! The disk as three files, served through FUSE: its bytes, its platter, its counters.
//!
//! A request of the loop device becomes a request of this file system, and a flush becomes an fsync:
//!
//! ```text
//!   REQ_OP_WRITE ──► write_iter ──► FUSE_WRITE ──► into the cache
//!   REQ_OP_FLUSH ──► vfs_fsync  ──► FUSE_FSYNC ──► the cache onto the platter
//!                                   FUSE_FLUSH     close(2): no flush, in spite of its name
//! ```

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner,
    OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request,
    WriteFlags,
};

use super::cache::{Cached, part};
use super::{COUNTERS, DiskKind, PLATTER};

const DISK: INodeNo = INodeNo(2);
const PLATTER_INODE: INodeNo = INodeNo(3);
const COUNTERS_INODE: INodeNo = INodeNo(4);

/// Past the page cache: what is read comes from here, and what is written arrives here before the
/// writer goes on. And no word at close(2): whoever is killed closes its files, and would wait for
/// the answer of a disk that hangs (in state D, and before the kernel sends PR_SET_PDEATHSIG).
const OPENED: FopenFlags = FopenFlags::FOPEN_DIRECT_IO.union(FopenFlags::FOPEN_NOFLUSH);

/// Nothing here ever changes its name, kind or size, so the kernel may remember them.
const FOR_LONG: Duration = Duration::from_secs(3600);

#[derive(Debug)]
pub(super) struct Files {
    /// What the disk's own file is called.
    name: OsString,
    kind: DiskKind,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    disk: Cached,
    /// What the read-only files held when they were opened, by handle. So a copy of the platter,
    /// which takes many reads, is the platter at one moment: that of the open.
    opened: HashMap<u64, Vec<u8>>,
    next_handle: u64,
}

impl Files {
    pub fn new(name: OsString, platter: Vec<u8>, kind: DiskKind) -> Files {
        let state = State { disk: Cached::new(platter), opened: HashMap::new(), next_handle: 1 };
        Files { name, kind, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attributes(&self, inode: INodeNo) -> Option<FileAttr> {
        let bytes = self.state().disk.len() as u64;
        let (kind, perm, size) = match inode {
            INodeNo::ROOT => (FileType::Directory, 0o500, 0),
            DISK => (FileType::RegularFile, 0o600, bytes),
            PLATTER_INODE => (FileType::RegularFile, 0o400, bytes),
            COUNTERS_INODE => (FileType::RegularFile, 0o400, 0),
            _ => return None,
        };
        Some(FileAttr {
            ino: inode,
            size,
            blocks: size / 512,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }
}

impl Filesystem for Files {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let inode = match name {
            _ if parent != INodeNo::ROOT => INodeNo(0),
            name if name == self.name => DISK,
            name if name == PLATTER => PLATTER_INODE,
            name if name == COUNTERS => COUNTERS_INODE,
            _ => INodeNo(0),
        };
        match self.attributes(inode) {
            Some(attributes) => reply.entry(&FOR_LONG, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(inode) {
            Some(attributes) => reply.attr(&FOR_LONG, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn open(&self, _: &Request, inode: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let mut state = self.state();
        let content = match inode {
            PLATTER_INODE => state.disk.cut().to_vec(),
            COUNTERS_INODE => {
                let counters = state.disk.counters();
                format!("{} {}\n", counters.written, counters.flushes).into_bytes()
            }
            _ => return reply.opened(FileHandle(0), OPENED),
        };
        let handle = state.next_handle;
        state.next_handle += 1;
        state.opened.insert(handle, content);
        reply.opened(FileHandle(handle), OPENED);
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        handle: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let state = self.state();
        match (inode, state.opened.get(&handle.0)) {
            (DISK, _) => reply.data(state.disk.read(offset, size as usize)),
            (_, Some(content)) => reply.data(part(content, offset, size as usize)),
            (_, None) => reply.error(Errno::EBADF),
        }
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        bytes: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        if inode != DISK {
            return reply.error(Errno::EBADF);
        }
        let mut state = self.state();
        let written = state.disk.write(offset, bytes);
        if self.kind == DiskKind::WithoutCache {
            state.disk.spill();
        }
        match written {
            // The kernel never sends more than fits.
            Ok(()) => reply.written(bytes.len().try_into().unwrap_or(u32::MAX)),
            Err(errno) => reply.error(Errno::from_i32(errno as i32)),
        }
    }

    fn fsync(&self, _: &Request, inode: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let mut state = self.state();
        // The counters are read when the file system is there; all handles but that one are 0.
        let in_use = state.next_handle > 1;
        match self.kind {
            _ if inode != DISK => {}
            DiskKind::Failing if in_use => return reply.error(Errno::EIO),
            DiskKind::Lying if in_use => state.disk.pretend_to_flush(),
            _ => state.disk.flush(),
        }
        reply.ok();
    }

    /// For Linux 5.15, which does not know FOPEN_NOFLUSH: upon this answer it never asks again.
    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.error(Errno::ENOSYS);
    }

    fn release(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.state().opened.remove(&handle.0);
        reply.ok();
    }
}
