//! What the handler asks of the kernel, as strace sees it.

mod support;

use std::env;
use std::hint::black_box;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::mman::ProtFlags;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use segv_guard::install;
use support::{OPEN, PART, pages, short_file};
use testkit::Program;

testkit::cases! {
    landing_a_copy_takes_no_system_call needs testkit::need::strace;
    replacing_the_missing_pages_of_a_file_takes_one_call needs testkit::need::strace;
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

fn replacing_the_missing_pages_of_a_file_takes_one_call() {
    let Some(handlers) = calls_in_handlers(touch_past_the_end) else { return };
    assert_eq!(handlers, [["mmap"]]);
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
