//! A write-back that a server refuses with a number of its choice. The kernel hands that number on
//! to whoever syncs next, once, and the page is clean: so no errno is harmless by itself.

mod common;

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, UNIX_EPOCH};

use common::page;
use fuser::{
    Config, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner,
    OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request,
    Session, SessionACL, WriteFlags,
};
use ipc_common::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, getegid, geteuid};
use page_sync::file::PageFile;
use page_sync::sync::Msync;
use testkit::{Folder, folder, need};

testkit::cases! {
    whatever_number_a_server_refuses_a_write_with_is_a_loss needs fuse;
    without_the_memory_success_is_reported_of_what_a_server_refused needs fuse;
}

fn fuse() -> Result<(), String> {
    need::namespaces()?;
    let device = File::options().read(true).write(true).open("/dev/fuse");
    device.map(drop).map_err(|error| format!("/dev/fuse: {error}"))
}

/// Numbers that a caller may take for "refused before it began".
const NUMBERS: [Errno; 6] =
    [Errno::EBADF, Errno::EINVAL, Errno::EINTR, Errno::EBUSY, Errno::EOPNOTSUPP, Errno::EIO];

/// One file of a page of zeros, no write to which is accepted.
struct Refusing(Errno);

const FILE: INodeNo = INodeNo(2);
const FOR_LONG: Duration = Duration::from_secs(3600);

impl Refusing {
    fn attributes(inode: INodeNo) -> FileAttr {
        let (kind, perm, size) = match inode {
            INodeNo::ROOT => (FileType::Directory, 0o700, 0),
            _ => (FileType::RegularFile, 0o600, page() as u64),
        };
        let [atime, mtime, ctime, crtime] = [UNIX_EPOCH; 4];
        let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
        let (blocks, blksize, nlink, rdev, flags) = (size / 512, 4096, 1, 0, 0);
        FileAttr {
            ino: inode,
            size,
            blocks,
            atime,
            mtime,
            ctime,
            crtime,
            kind,
            perm,
            nlink,
            uid,
            gid,
            rdev,
            blksize,
            flags,
        }
    }
}

impl Filesystem for Refusing {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        if name == "file" {
            reply.entry(&FOR_LONG, &Refusing::attributes(FILE), Generation(0));
        } else {
            reply.error(fuser::Errno::ENOENT);
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&FOR_LONG, &Refusing::attributes(inode));
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_NOFLUSH);
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let left = page().saturating_sub(offset as usize);
        reply.data(&vec![0; left.min(size as usize)]);
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: u64,
        _: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        reply.error(fuser::Errno::from_i32(self.0 as i32));
    }

    /// Nothing is wrong with this, so that what is heard is what the write ended with.
    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.ok();
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.error(fuser::Errno::ENOSYS);
    }
}

/// The file system, served by a child.
struct Server {
    on: Folder,
    child: Pid,
}

impl Server {
    /// Enters no namespace: the case has done so.
    fn that_refuses_with(errno: Errno) -> Server {
        let on = folder();
        let device = File::options().read(true).write(true).open("/dev/fuse").unwrap();
        let (user, group) = (geteuid(), getegid());
        let options =
            format!("fd={},rootmode=40700,user_id={user},group_id={group}", device.as_raw_fd());
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some("refusing"), on.path(), Some("fuse"), flags, Some(options.as_str())).unwrap();
        // SAFETY: the case has one thread, so the child may do whatever a process may.
        match unsafe { fork() }.unwrap() {
            ForkResult::Parent { child } => Server { on, child },
            ForkResult::Child => {
                nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).unwrap();
                let device = OwnedFd::from(device);
                let acl = SessionACL::Owner;
                let _ = Session::from_fd(Refusing(errno), device, acl, Config::default())
                    .and_then(Session::run);
                // SAFETY: _exit ends the child without running what belongs to the parent.
                unsafe { libc::_exit(0) }
            }
        }
    }

    fn file(&self) -> std::path::PathBuf {
        self.on.file("file")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = umount2(self.on.path(), MntFlags::MNT_DETACH);
        let _ = kill(self.child, Signal::SIGKILL);
        let _ = waitpid(self.child, None);
    }
}

fn whatever_number_a_server_refuses_a_write_with_is_a_loss() {
    testkit::enter_namespaces();
    type Call = fn(&PageFile) -> ipc_common::Result<()>;
    let calls: [Call; 5] = [
        |file| file.sync(.., Msync::SYNC).map(drop),
        |file| file.sync(.., Msync::SYNC.invalidate()).map(drop),
        PageFile::fdatasync,
        PageFile::fsync,
        |file| file.write_out(..).map(drop),
    ];
    for errno in NUMBERS {
        let server = Server::that_refuses_with(errno);
        for call in calls {
            let file = PageFile::open(server.file()).unwrap();
            file.page_mut(0).unwrap().write(0, b"gone").unwrap();
            let error = call(&file).unwrap_err();
            assert_eq!(error.errno(), errno, "{error}");
            assert!(error.remedy().contains("may be gone"), "{error}");
            let still = call(&file).expect_err("a success after a loss");
            assert!(!still.is_from_kernel(), "the kernel says it once: {still}");
            assert_eq!(file.loss().unwrap().errno(), errno);
        }
    }
}

/// The twin: what the kernel says by itself.
fn without_the_memory_success_is_reported_of_what_a_server_refused() {
    testkit::enter_namespaces();
    for errno in NUMBERS {
        let server = Server::that_refuses_with(errno);
        let file = File::options().read(true).write(true).open(server.file()).unwrap();
        let map = memmap2::MmapOptions::new().map_raw(&file).unwrap();
        // SAFETY: inside the mapping, which nobody else has.
        unsafe { map.as_mut_ptr().write_volatile(b'!') };
        assert_eq!(map.flush().unwrap_err().raw_os_error(), Some(errno as i32));
        map.flush().expect("the kernel tells it once");
    }
}
