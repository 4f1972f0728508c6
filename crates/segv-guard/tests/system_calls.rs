//! What the handler asks of the kernel, as strace sees it.

mod support;

use std::hint::black_box;
use std::process::Command;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, mem, thread};

use nix::sys::mman::{ProtFlags, mprotect};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use segv_guard::table::{Answer, OnFault, Turn};
use segv_guard::uses::{Backend, GuardedBuffer, OnOverflow, Pager, Snapshots, WriteTracker};
use segv_guard::{Fault, install};
use support::{OPEN, PART, pages, short_file};
use testkit::Program;

testkit::cases! {
    landing_a_copy_takes_no_system_call needs testkit::need::strace;
    replacing_the_missing_pages_of_a_file_takes_one_call_with_signals_kept_off needs testkit::need::strace;
    a_ranges_handler_makes_its_own_calls_and_no_others needs testkit::need::strace;
    noting_a_write_takes_one_call needs testkit::need::strace;
    saving_a_page_for_a_snapshot_takes_one_call needs testkit::need::strace;
    waiting_for_a_page_to_be_filled_takes_futexes needs testkit::need::strace;
    an_overflow_takes_one_call_if_the_program_is_let_go_on needs testkit::need::strace;
    passing_on_a_fault_restores_the_default_and_no_more needs testkit::need::strace;
    passing_on_a_fault_to_rusts_handler_takes_one_call_more needs testkit::need::strace;
    passing_on_a_sent_signal_queues_it_once_more needs testkit::need::strace;
}

/// Set in the process that is traced: this very case, run once more.
const TRACED: &str = "SEGV_GUARD_TRACED";

/// Runs `what` under strace, and lists the system calls of each handler: from the signal to the
/// return from it, or to the end. `None` in the process that is traced.
fn calls_in_handlers(what: fn()) -> Option<Vec<Vec<String>>> {
    if env::var_os(TRACED).is_some() {
        what();
        return None;
    }
    let folder = testkit::folder();
    let log = folder.file("strace");
    let mut strace = Command::new("strace");
    strace.arg("-o").arg(&log).arg(env::current_exe().unwrap()).env(TRACED, "1");
    let ended = Program::run(&mut strace);
    let log = std::fs::read_to_string(log).unwrap();
    let mut handlers: Vec<Vec<String>> = Vec::new();
    let mut inside = false;
    for line in log.lines() {
        if line.starts_with("--- SIGSEGV") || line.starts_with("--- SIGBUS") {
            handlers.push(Vec::new());
            inside = true;
        } else if line.starts_with("rt_sigreturn") {
            inside = false;
        } else if let (true, Some((call, _)), Some(last)) =
            (inside && !line.starts_with(['-', '+']), line.split_once('('), handlers.last_mut())
        {
            last.push(call.to_owned());
        }
    }
    assert!(!handlers.is_empty(), "no signal was seen: {ended:?}");
    Some(handlers)
}

fn land_copies() {
    let guard = install().unwrap();
    let (closed, (short, _file)) = (pages(ProtFlags::PROT_NONE), short_file());
    for at in [closed, short.wrapping_add(PART)] {
        for len in [1, 10, 100, 10_000] {
            let mut into = vec![0; len];
            // SAFETY: where there is memory, it is this case's, and nothing is in it.
            let (read, write) = unsafe { (guard.read(at, &mut into), guard.write(at, &into)) };
            assert!(read.is_err() && write.is_err());
        }
    }
}

fn landing_a_copy_takes_no_system_call() {
    let Some(handlers) = calls_in_handlers(land_copies) else { return };
    assert_eq!(handlers, vec![Vec::<String>::new(); 16]);
}

fn touch_past_the_end() {
    let (short, _file) = short_file();
    let guard = install().unwrap();
    // SAFETY: the traced process's own mapping, of which only the atomic is made.
    let _watch = unsafe { guard.watch_file(short.addr(), 2 * PART, OPEN) }.unwrap();
    // SAFETY: mapped and aligned.
    let word = unsafe { AtomicU32::from_ptr(short.wrapping_add(PART).cast()) };
    assert_eq!(word.fetch_add(1, Ordering::Relaxed), 0);
}

fn replacing_the_missing_pages_of_a_file_takes_one_call_with_signals_kept_off() {
    let Some(handlers) = calls_in_handlers(touch_past_the_end) else { return };
    let [handler] = handlers.as_slice() else { panic!("{handlers:?}") };
    // Who it is: a forked child must not wait for a thread that it has not. And a barrier for all
    // threads, which the first time is refused, asked for, and had.
    let (begin, rest) = handler.split_at(2);
    let (barriers, end) = rest.split_at(rest.len().saturating_sub(2));
    assert_eq!(
        (begin, end),
        (
            &["rt_sigprocmask", "getpid"].map(String::from)[..],
            &["mmap", "rt_sigprocmask"].map(String::from)[..]
        )
    );
    assert!(barriers.len() <= 3 && barriers.iter().all(|call| call == "membarrier"), "{handler:?}");
}

/// Answers for the first of two pages with one call, and for the second with none.
struct FirstPage(usize);

// SAFETY: mprotect(2) on a page of the traced process, in which no Rust value is.
unsafe impl OnFault for FirstPage {
    fn on_fault(&self, fault: &Fault) -> Answer {
        if fault.address() != Some(self.0) {
            return Answer::NotMine;
        }
        let start = NonNull::new(ptr::with_exposed_provenance_mut(self.0)).unwrap();
        // SAFETY: as above.
        match unsafe { mprotect(start, PART, OPEN) } {
            Ok(()) => Answer::Mended,
            Err(_) => Answer::NotMine,
        }
    }
}

fn touch_pages_of_a_range() {
    let guard = install().unwrap();
    let [mended, refused] = [(); 2].map(|()| pages(ProtFlags::PROT_NONE));
    for at in [mended, refused] {
        let handler = Arc::new(FirstPage(mended.expose_provenance()));
        mem::forget(guard.register(at.addr(), PART, Turn::BeforeCopies, handler).unwrap());
    }
    // SAFETY: pages of the traced process.
    unsafe {
        mended.write_volatile(1);
        assert!(guard.read_byte(refused).is_err());
    }
}

fn a_ranges_handler_makes_its_own_calls_and_no_others() {
    let Some(handlers) = calls_in_handlers(touch_pages_of_a_range) else { return };
    assert_eq!(handlers, [vec!["mprotect"], vec![]]);
}

fn write_where_writes_are_noted() {
    let tracker = WriteTracker::with(install().unwrap(), 4 * PART, Backend::Faults).unwrap();
    tracker.view().write(0, b"one").unwrap();
    tracker.view().write(0, b"and no fault any more").unwrap();
    tracker.view().write(2 * PART, b"two").unwrap();
}

fn noting_a_write_takes_one_call() {
    let Some(handlers) = calls_in_handlers(write_where_writes_are_noted) else { return };
    assert_eq!(handlers, [["mprotect"], ["mprotect"]]);
}

fn write_below_a_snapshot() {
    let memory = Snapshots::new(install().unwrap(), 4 * PART).unwrap();
    let snapshot = memory.snapshot().unwrap();
    memory.view().write(PART, b"after").unwrap();
    assert_eq!(snapshot.saved(), 1);
}

fn saving_a_page_for_a_snapshot_takes_one_call() {
    let Some(handlers) = calls_in_handlers(write_below_a_snapshot) else { return };
    assert_eq!(handlers, [["mprotect"]]);
}

fn touch_a_page_that_is_not_filled() {
    let fill = |_: usize, bytes: &mut [u8]| {
        // Longer than the handler takes to fall asleep, most times.
        thread::sleep(Duration::from_millis(50));
        bytes[0] = 7;
        Ok(())
    };
    let pager = Pager::new(install().unwrap(), PART, fill).unwrap();
    assert_eq!(pager.view().read_vec(0, 1).unwrap(), [7]);
}

fn waiting_for_a_page_to_be_filled_takes_futexes() {
    let Some(handlers) = calls_in_handlers(touch_a_page_that_is_not_filled) else { return };
    let [handler] = handlers.as_slice() else { panic!("{handlers:?}") };
    // Who it is: the pager's own thread must not wait for itself, nor a forked child for nobody.
    assert_eq!(handler[..2], ["getpid", "gettid"]);
    // To ring, and to sleep as often as it takes; not once if the page is there before.
    assert!(handler.len() > 2 && handler[2..].iter().all(|call| call == "futex"), "{handler:?}");
}

fn overflow_and_go_on() {
    let guard = install().unwrap();
    let buffer = GuardedBuffer::new(guard, 16, OnOverflow::GoOn).unwrap();
    // SAFETY: past the end, into the buffer's own guard page.
    unsafe { buffer.as_ptr().add(16).write_volatile(1) };
    assert!(buffer.take_overflow().unwrap().is_some());
}

fn an_overflow_takes_one_call_if_the_program_is_let_go_on() {
    let Some(handlers) = calls_in_handlers(overflow_and_go_on) else { return };
    assert_eq!(handlers, [["mprotect"]]);
}

fn default_before() {
    let action = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: no function is installed.
    unsafe { sigaction(Signal::SIGSEGV, &action) }.unwrap();
}

fn crash() {
    install().unwrap();
    // SAFETY: none: the traced process is there to die of it.
    black_box(unsafe { ptr::without_provenance::<u8>(8).read_volatile() });
}

fn crash_by_default() {
    default_before();
    crash();
}

fn passing_on_a_fault_restores_the_default_and_no_more() {
    let Some(handlers) = calls_in_handlers(crash_by_default) else { return };
    // The fault, and the same one again, which kills.
    assert_eq!(handlers, [vec!["rt_sigaction"], vec![]]);
}

fn passing_on_a_fault_to_rusts_handler_takes_one_call_more() {
    let Some(handlers) = calls_in_handlers(crash) else { return };
    // Ours blocks the signal, as the kernel would have; Rust's restores the default.
    assert_eq!(handlers, [vec!["rt_sigprocmask", "rt_sigaction"], vec![]]);
}

fn send_and_die() {
    default_before();
    install().unwrap();
    raise(Signal::SIGSEGV).unwrap();
}

fn passing_on_a_sent_signal_queues_it_once_more() {
    let Some(handlers) = calls_in_handlers(send_and_die) else { return };
    let queued = ["rt_sigprocmask", "getpid", "gettid", "rt_tgsigqueueinfo"];
    // Restored, and looked at again: an earlier handler may have left another.
    let restored = ["rt_sigaction", "rt_sigaction"];
    assert_eq!(handlers, [[restored.as_slice(), &queued].concat(), vec![]]);
}
