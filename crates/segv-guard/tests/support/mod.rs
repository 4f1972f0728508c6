//! Children that fault, and what becomes of them.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::ffi::c_void;
use std::io::{Read, pipe};
use std::num::NonZeroUsize;
use std::ptr::{self, NonNull};

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous};
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, dup2_stderr, fork, ftruncate};
use segv_guard::region::{Protection, Region};

/// A multiple of every page size.
pub const PART: usize = 65_536;
pub const OPEN: ProtFlags = ProtFlags::PROT_READ.union(ProtFlags::PROT_WRITE);

/// New anonymous memory of `PART` bytes. It stays until the case ends.
pub fn pages(protection: ProtFlags) -> *mut u8 {
    let len = NonZeroUsize::new(PART).unwrap();
    // SAFETY: new memory at an address of the kernel's choice.
    let memory = unsafe { mmap_anonymous(None, len, protection, MapFlags::MAP_PRIVATE) };
    memory.unwrap().cast().as_ptr()
}

/// `2 * PART` bytes mapped from a file that has `PART`, and the file.
pub fn short_file() -> (*mut u8, std::os::fd::OwnedFd) {
    let file = memfd_create("short", MFdFlags::empty()).unwrap();
    ftruncate(&file, PART as i64).unwrap();
    let len = NonZeroUsize::new(2 * PART).unwrap();
    // SAFETY: a new mapping of a file that nobody else has.
    let memory = unsafe { mmap(None, len, OPEN, MapFlags::MAP_SHARED, &file, 0) };
    (memory.unwrap().cast().as_ptr(), file)
}

/// An address with nothing mapped for `PART` bytes, until the next mapping is made.
pub fn nothing() -> *mut u8 {
    let memory = pages(OPEN);
    // SAFETY: our own mapping, of which nobody knows.
    unsafe { nix::sys::mman::munmap(NonNull::new(memory).unwrap().cast::<c_void>(), PART) }
        .unwrap();
    memory
}

/// Runs `what` in a forked child, which ends with its number, and waits for the end.
pub fn in_child(what: impl FnOnce() -> i32) -> WaitStatus {
    waitpid(start(what), None).unwrap()
}

fn start(what: impl FnOnce() -> i32) -> Pid {
    // SAFETY: a case has one thread when it forks, so the child may do as it likes.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: both take plain numbers; a case that hangs takes its children with it.
            unsafe {
                libc::setrlimit(libc::RLIMIT_CORE, &none);
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            }
            let code = what();
            // SAFETY: the child ends here, and runs nothing of the parent's.
            unsafe { libc::_exit(code) }
        }
    }
}

/// `what` in a child, and what it wrote to standard error.
pub fn heard_from_child(what: impl FnOnce() -> i32) -> (WaitStatus, String) {
    let (mut reader, writer) = pipe().unwrap();
    let child = start(|| {
        dup2_stderr(&writer).unwrap();
        what()
    });
    drop(writer);
    let mut heard = String::new();
    reader.read_to_string(&mut heard).unwrap();
    (waitpid(child, None).unwrap(), heard)
}

/// The signal that a process died of, as its tracer saw it.
#[derive(Debug, PartialEq, Eq)]
pub struct Death {
    pub status: Ended,
    pub signal: i32,
    pub code: i32,
    /// Of the access; of a sent signal, 0.
    pub address: usize,
    /// Whether the siginfo names the child itself as the sender.
    pub from_itself: bool,
    /// Where it stood.
    pub program_counter: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Exited(i32),
    Signaled(Signal),
}

/// Runs `what` in a traced child, and looks at the last signal it got.
pub fn death(what: impl FnOnce() -> i32) -> Death {
    let child = start(|| {
        ptrace::traceme().unwrap();
        nix::sys::signal::raise(Signal::SIGSTOP).unwrap();
        what()
    });
    assert!(matches!(waitpid(child, None).unwrap(), WaitStatus::Stopped(_, Signal::SIGSTOP)));
    ptrace::cont(child, None).unwrap();
    let mut last = None;
    loop {
        match waitpid(child, None).unwrap() {
            WaitStatus::Stopped(_, signal) => {
                last = Some((ptrace::getsiginfo(child).unwrap(), program_counter(child)));
                ptrace::cont(child, signal).unwrap();
            }
            WaitStatus::Exited(_, code) => return describe(Ended::Exited(code), child, last),
            WaitStatus::Signaled(_, signal, _) => {
                return describe(Ended::Signaled(signal), child, last);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn describe(status: Ended, child: Pid, last: Option<(libc::siginfo_t, usize)>) -> Death {
    let Some((info, program_counter)) = last else {
        return Death {
            status,
            signal: 0,
            code: 0,
            address: 0,
            from_itself: false,
            program_counter: 0,
        };
    };
    let of_instruction = info.si_code > 0;
    // SAFETY: codes above 0 of these signals have an address, the others a sender.
    let (address, sender) = unsafe { (info.si_addr().addr(), info.si_pid()) };
    Death {
        status,
        signal: info.si_signo,
        code: info.si_code,
        address: if of_instruction { address } else { 0 },
        from_itself: !of_instruction && sender == child.as_raw(),
        program_counter,
    }
}

fn program_counter(child: Pid) -> usize {
    // PTRACE_GETREGSET: all general registers, however many this machine has.
    let mut words = [0_usize; 64];
    let mut room =
        libc::iovec { iov_base: words.as_mut_ptr().cast(), iov_len: size_of_val(&words) };
    const NT_PRSTATUS: usize = 1;
    // SAFETY: the child is stopped, and the kernel writes no more than `iov_len` bytes.
    let done = unsafe {
        libc::ptrace(
            libc::PTRACE_GETREGSET,
            child.as_raw(),
            ptr::without_provenance_mut::<c_void>(NT_PRSTATUS),
            &raw mut room,
        )
    };
    assert_eq!(done, 0, "{}", nix::errno::Errno::last());
    // user_regs_struct: rip is the 17th; user_pt_regs: 31 registers, sp, pc.
    words[if cfg!(target_arch = "x86_64") { 16 } else { 32 }]
}

/// To trace one's own child.
pub fn can_trace() -> Result<(), String> {
    testkit::need::native()?;
    let status = in_child(|| if ptrace::traceme().is_ok() { 0 } else { 1 });
    match status {
        WaitStatus::Exited(_, 0) => Ok(()),
        _ => Err("a process may not be traced here, even by its parent".into()),
    }
}

/// `vm.max_map_count`: from 65,530, the kernel's own, to 1,048,576, which some distributions set.
pub fn max_map_count() -> usize {
    let file = "/proc/sys/vm/max_map_count";
    std::fs::read_to_string(file).unwrap().trim().parse().unwrap()
}

/// Not so many mappings that using them up takes the machine's memory: each costs the kernel some
/// 200 bytes.
pub fn mappings_that_can_be_used_up() -> Result<(), String> {
    const AFFORDABLE: usize = 1 << 20;
    match max_map_count() {
        0..=AFFORDABLE => Ok(()),
        count => Err(format!("vm.max_map_count is {count}: too many to be used up")),
    }
}

/// Uses mappings up until there are only a few left, which the C library and a thread or two may
/// need. What it returns keeps them.
pub fn use_up_mappings() -> Region {
    // Two pages, protected differently, are two mappings.
    let pages = max_map_count() + 100;
    let region = Region::new(pages * ipc_common::PageSize::system().bytes()).unwrap();
    use_up_mappings_by(&region);
    region.protect(0..20, Protection::Open).unwrap();
    region
}

/// Uses mappings up until there is none left, by protecting every second page.
pub fn use_up_mappings_by(region: &Region) {
    let second = (0..region.pages()).step_by(2);
    let mut protected = second.map(|page| region.protect(page..page + 1, Protection::ReadOnly));
    let error = protected.find_map(Result::err).expect("more pages than vm.max_map_count");
    assert_eq!(error.errno(), nix::errno::Errno::ENOMEM, "{error}");
    assert!(error.remedy().contains("vm.max_map_count"), "{error}");
}

/// Numbers without end, the same for the same seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) as usize % limit
    }
}
