//! `raw`: the lecture's own idea in the fewest lines. Slide "Illegal Memory Access: use signals!".
//!
//! To be read from top to bottom. A page is made read-only and then written to. The kernel sends
//! SIGSEGV; the handler sees that the address lies in the page, allows writing, and returns. The
//! processor runs the same instruction again, and this time it succeeds: neither `main` nor the
//! instruction has noticed anything.
//!
//! What is missing here is what the rest of the crate is about: other people's handlers, stack
//! overflows, faults that nobody can mend, an error instead of a mended page.

use std::ffi::{c_int, c_void};
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering::SeqCst};

use clap::Args;
use ipc_common::cli::style::{KERNEL, STRONG};
use ipc_common::cli::{Failure, Narrator, Quit};
use ipc_common::{Error, PageSize};
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, mprotect};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use segv_guard::explain::{Place, Scene};

const READ: ProtFlags = ProtFlags::PROT_READ;
const READ_WRITE: ProtFlags = ProtFlags::PROT_READ.union(ProtFlags::PROT_WRITE);

// A handler gets no arguments of ours, and may take no lock: what it has to know, and what it has
// to tell, stands in atomics.
static PAGE: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);
static SI_CODE: AtomicI32 = AtomicI32::new(0);
static SI_ADDR: AtomicUsize = AtomicUsize::new(0);

/// Called by the kernel, in the middle of the instruction that failed.
extern "C" fn allow(signal: c_int, info: *mut libc::siginfo_t, _registers: *mut c_void) {
    // SAFETY: the kernel passes a siginfo that is good until we return, and fills in the address
    // for SIGSEGV.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    let (page, size) = (PAGE.load(SeqCst), PAGE_SIZE.load(SeqCst));
    let ours = (page.addr()..page.addr() + size).contains(&address);
    let mended = ours
        && NonNull::new(page).is_some_and(|page| {
            // SAFETY: the page of `run`, in which there is no Rust value. (POSIX does not list
            // mprotect as safe in a handler; on Linux it is a system call and nothing more.)
            unsafe { mprotect(page, size, READ_WRITE) }.is_ok()
        });
    if mended {
        CALLS.fetch_add(1, SeqCst);
        SI_CODE.store(code, SeqCst);
        SI_ADDR.store(address, SeqCst);
    } else {
        // Somebody else's fault. Returning alone would fail for ever; with the default action back,
        // the instruction fails once more, and ends the process as it should.
        let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        // SAFETY: the default action runs none of our code.
        let _ = Signal::try_from(signal).map(|signal| unsafe { sigaction(signal, &default) });
    }
}

/// Protect a page, catch the signal, allow it, go on: the lecture's idea in one file
///
/// Maps a page, makes it read-only, and stores into it twice. The first store raises SIGSEGV; the
/// handler looks at the address, allows writing with mprotect, and returns, and the instruction
/// runs again. The second one finds the page writable. Addresses, codes and protections are what
/// the kernel said.
///
/// The program is crates/segv-guard/src/commands/raw.rs, and is meant to be read.
#[derive(Args)]
#[command(after_help = "\
Watch the system calls beside it:
  strace -e trace=mprotect,rt_sigaction,rt_sigreturn segv-guard raw

Exit codes: 0 done, 1 failed, 139 a fault that was not the page's.")]
pub struct Raw {}

impl Raw {
    pub fn run(self) -> Result<(), Failure> {
        let quit = Quit::watch()?;
        let tell = Narrator::new(&quit);
        let size = PageSize::system().bytes();

        tell.act("A page of memory")?;
        let len = NonZeroUsize::new(size).unwrap_or(NonZeroUsize::MIN);
        // SAFETY: new memory at an address of the kernel's choice.
        let page = unsafe { mmap_anonymous(None, len, READ_WRITE, MapFlags::MAP_PRIVATE) }
            .map_err(|errno| Error::new("mmap", errno, format!("{size} bytes")))?;
        // Two bytes of it, for the two stores. It is memory of no Rust value, so a pointer it
        // stays.
        let (first, second) = (page.cast::<u8>(), page.cast::<u8>().map_addr(|a| a | 1));
        tell.say(format_args!("mmap            {page:p}, {size} bytes"))?;

        tell.act("SIGSEGV shall call `allow`")?;
        PAGE.store(page.as_ptr(), SeqCst);
        PAGE_SIZE.store(size, SeqCst);
        let action =
            SigAction::new(SigHandler::SigAction(allow), SaFlags::SA_SIGINFO, SigSet::empty());
        // SAFETY: `allow` makes system calls and uses atomics, which is all that a handler may do.
        let before = unsafe { sigaction(Signal::SIGSEGV, &action) }
            .map_err(|errno| Error::new("sigaction", errno, "SIGSEGV"))?;
        tell.say("sigaction       SIGSEGV, SA_SIGINFO")?;

        tell.act("The page is made read-only")?;
        // SAFETY: our page, in which there is no Rust value.
        unsafe { mprotect(page, size, READ) }
            .map_err(|errno| Error::new("mprotect", errno, format!("{page:p}")))?;
        tell.say("mprotect        PROT_READ")?;
        tell.say(kernel_says(page)?)?;

        for (number, at) in [("first", first), ("second", second)] {
            tell.act(&format!("The {number} store"))?;
            let calls = CALLS.load(SeqCst);
            // SAFETY: a byte of our page. If the page refuses it, the handler lets the very same
            // instruction run again.
            unsafe { at.write_volatile(b'!') };
            if CALLS.load(SeqCst) > calls {
                let (code, address) = (SI_CODE.load(SeqCst), SI_ADDR.load(SeqCst));
                tell.say(format_args!(
                    "signal          SIGSEGV, si_code {code}, si_addr {address:#x}"
                ))?;
                tell.say("the handler     mprotect(PROT_READ | PROT_WRITE), and returns")?;
                tell.say("the instruction runs again")?;
            } else {
                tell.say("no signal")?;
            }
            // SAFETY: a byte of our page, which may be read.
            let found = char::from(unsafe { at.read_volatile() });
            tell.say(format_args!("at {at:p}   {STRONG}{found}{STRONG:#}"))?;
            tell.say(kernel_says(page)?)?;
        }
        let calls = CALLS.load(SeqCst);
        tell.say(format_args!("the handler was called {}", super::count(calls, "time", "times")))?;
        // SAFETY: whatever had the signal before.
        unsafe { sigaction(Signal::SIGSEGV, &before) }
            .map_err(|errno| Error::new("sigaction", errno, "SIGSEGV"))?;
        Ok(())
    }
}

/// The page's protection as /proc/self/maps has it.
fn kernel_says(page: NonNull<c_void>) -> Result<String, Error> {
    let scene = Scene::of_this_process()?;
    let protection = match scene.place(page.as_ptr().addr()) {
        Place::Mapped(listed) => listed.protection(),
        place => place.to_string(),
    };
    Ok(format!("/proc/self/maps {KERNEL}{protection}{KERNEL:#}"))
}
