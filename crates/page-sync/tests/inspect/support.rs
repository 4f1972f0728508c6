//! Files to look at, what they need of the machine, and processes that look like others.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use ipc_common::PageSize;
use mmap_file::{Access, Advice, MapOptions, Mapping, open_file};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, ftruncate};
use page_sync::inspect::{Cache, FileSystem, Runs, cache::PageState};
use testkit::Folder;

pub fn page() -> usize {
    PageSize::system().bytes()
}

/// cachestat(2), asked without the crate under test.
pub fn cachestat() -> Result<(), String> {
    let this = File::open("/proc/self/exe").map_err(|error| error.to_string())?;
    let (range, mut found) = ([0_u64, 1], [0_u64; 5]);
    // SAFETY: the two structures are two and five 64-bit numbers.
    let result =
        unsafe { libc::syscall(451, this.as_raw_fd(), range.as_ptr(), found.as_mut_ptr(), 0) };
    let errno = nix::errno::Errno::result(result).err();
    match errno {
        None | Some(nix::errno::Errno::EPERM) => Ok(()),
        Some(errno) => Err(format!("this kernel has no cachestat(2), or hides it ({errno:?})")),
    }
}

/// ext4 below the folders of the tests: elsewhere other rules hold for dirty pages.
pub fn ext4() -> Result<(), String> {
    cachestat()?;
    let folder = testkit::folder();
    let file = File::create(folder.file("x")).map_err(|error| error.to_string())?;
    match FileSystem::of(&file).known() {
        Some(found) if found.name() == "ext4" => Ok(()),
        found => Err(format!("TMPDIR is not on ext4, but on {found:?}")),
    }
}

/// A sparse file of so many pages, open for reading and writing, and its folder. Nothing of it is
/// in memory, and no folio of it is larger than a page, since nothing was ever written.
pub fn sparse(pages: usize) -> (Folder, File) {
    let folder = testkit::folder();
    let path = folder.file("pages");
    File::create_new(&path).unwrap();
    let file = open_file(&path, Access::ReadWrite).unwrap();
    ftruncate(&file, (pages * page()) as i64).unwrap();
    (folder, file)
}

/// The file's pages, mapped shared; only what is touched is read in (no read-ahead).
pub fn mapped(file: &File) -> Mapping {
    MapOptions::new().read_write().advice(Advice::Random).map(file).unwrap()
}

/// Stores a byte into each of these pages.
pub fn store(mapping: &Mapping, pages: &[usize]) {
    for number in pages {
        mapping.write_view().unwrap().write(number * page(), b"!").unwrap();
    }
}

pub fn states(file: &File, pages: usize) -> Runs<PageState> {
    Cache::of(file).known().unwrap().pages(0..pages as u64).known().unwrap()
}

pub fn numbers(pages: impl Iterator<Item = u64>) -> Vec<usize> {
    pages.map(|page| page as usize).collect()
}

/// The pages that are dirty, or were and are just being written. Anybody on the machine may call
/// sync(2) at any moment: what has to be dirty is looked at a few times.
pub fn dirty(file: &File, pages: usize) -> Vec<usize> {
    numbers(states(file, pages).pages_that(|state| state.is_dirty() == Some(true)))
}

/// Whether something is so once in a few attempts.
pub fn at_some_time(mut attempt: impl FnMut() -> bool) -> bool {
    (0..20).any(|_| attempt())
}

/// A child of ours that runs `body`, says so, and stays until this is dropped.
pub struct Still {
    pid: Pid,
}

impl Still {
    pub fn after<T>(body: impl FnOnce() -> T) -> Still {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        // SAFETY: the case has one thread, so the child may do whatever a process may.
        match unsafe { fork() }.unwrap() {
            ForkResult::Parent { child } => {
                drop(theirs);
                let still = Still { pid: child };
                let mut byte = [0];
                ours.read_exact(&mut byte).expect("the child has done its part");
                still
            }
            ForkResult::Child => {
                drop(ours);
                let _kept = body();
                std::io::Write::write_all(&mut &theirs, b"!").unwrap();
                loop {
                    nix::unistd::pause();
                }
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.pid.as_raw().cast_unsigned()
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        let _ = kill(self.pid, Signal::SIGKILL);
        let _ = waitpid(self.pid, None);
    }
}

/// userfaultfd(2), which write-protects pages without a protection: what the kernel then says of
/// them is in bit 57 of pagemap. On shared memory since Linux 5.19.
pub struct Userfault(OwnedFd);

impl Userfault {
    const WRITE_PROTECTION: u64 = 1 << 1;

    /// Of all pages of this mapping, which is of a file on tmpfs.
    pub fn of(mapping: &Mapping) -> nix::Result<Userfault> {
        const USER_MODE_ONLY: libc::c_int = 1;
        const API: u64 = 0xaa;
        const FEATURES: u64 = 1 << 0 | 1 << 12; // PAGEFAULT_FLAG_WP, WP_HUGETLBFS_SHMEM
        // SAFETY: this call takes a number, and makes a descriptor.
        let fd = unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | USER_MODE_ONLY) };
        let fd = nix::errno::Errno::result(fd)?;
        // SAFETY: it is new, and nobody else's.
        let userfault = Userfault(unsafe { OwnedFd::from_raw_fd(fd.try_into().unwrap()) });
        userfault.ioctl(0xc018_aa3f, &mut [API, FEATURES, 0])?;
        let (start, len) = (mapping.address() as u64, mapping.len() as u64);
        userfault.ioctl(0xc020_aa00, &mut [start, len, Userfault::WRITE_PROTECTION, 0])?;
        Ok(userfault)
    }

    /// From now on writing these pages waits for whoever reads the descriptor: nobody here.
    pub fn protect(&self, mapping: &Mapping, pages: Range<usize>, on: bool) -> nix::Result<()> {
        let start = mapping.address() + pages.start * page();
        let len = pages.len() * page();
        self.ioctl(0xc018_aa06, &mut [start as u64, len as u64, on.into()])
    }

    fn ioctl(&self, request: u32, argument: &mut [u64]) -> nix::Result<()> {
        // SAFETY: each of the three requests takes a structure of as many 64-bit numbers as it is
        // given above (the size is in the request itself), and writes nowhere else.
        let result = unsafe {
            libc::ioctl(self.0.as_raw_fd(), request as libc::Ioctl, argument.as_mut_ptr())
        };
        nix::errno::Errno::result(result).map(drop)
    }
}

/// A file in memory, of so many pages, mapped.
pub fn in_memory(pages: usize) -> (OwnedFd, Mapping) {
    let file = nix::sys::memfd::memfd_create("pages", nix::sys::memfd::MFdFlags::MFD_CLOEXEC);
    let file = file.unwrap();
    ftruncate(&file, (pages * page()) as i64).unwrap();
    let mapping = MapOptions::new().read_write().map(&file).unwrap();
    (file, mapping)
}

pub fn userfaultfd() -> Result<(), String> {
    let (_file, mapping) = in_memory(1);
    Userfault::of(&mapping).map(drop).map_err(|errno| {
        format!("no userfaultfd(2) that write-protects shared memory, Linux 5.19 ({errno:?})")
    })
}

/// Runs `body` in a child that may do what it likes to itself; it has to end well.
pub fn apart(body: impl FnOnce()) {
    // SAFETY: as above.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
        }
        ForkResult::Child => {
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).is_ok();
            // SAFETY: _exit ends the child without running what belongs to the parent.
            unsafe { libc::_exit(if done { 0 } else { 101 }) }
        }
    }
}

/// From now on this process gets `errno` for this system call: what a container's filter does.
pub fn refuse(call: u32, errno: i32) {
    // seccomp(2), in the words of linux/filter.h: load the number; if it is this one, answer with
    // the errno; else allow.
    const RET_ERRNO: u32 = 0x0005_0000;
    const RET_ALLOW: u32 = 0x7fff_0000;
    let rule = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut rules = [
        rule(0x20, 0, 0, 0),
        rule(0x15, 0, 1, call),
        rule(0x06, 0, 0, RET_ERRNO | errno.cast_unsigned()),
        rule(0x06, 0, 0, RET_ALLOW),
    ];
    let program =
        libc::sock_fprog { len: rules.len().try_into().unwrap(), filter: rules.as_mut_ptr() };
    // SAFETY: a filter of four rules, which the kernel checks and copies.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let mode = libc::SECCOMP_MODE_FILTER;
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program), 0);
    }
}
