//! Files to look at, what they need of the machine, and processes that look like others.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
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
