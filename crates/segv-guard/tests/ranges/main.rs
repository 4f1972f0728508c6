//! Handlers by address range: the right one, from every thread, while ranges come and go.

mod answers;
mod crowds;
mod removal;
#[path = "../support/mod.rs"]
mod support;

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;

use ipc_common::{Errno, PageSize};
use nix::sys::mman::{ProtFlags, mprotect};
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use segv_guard::table::{Answer, OnFault, Registration, Turn};
use segv_guard::{Access, AltStack, Cause, Fault, Guard, install};
use support::{OPEN, PART, heard_from_child, in_child, pages, short_file};

use answers::*;
use crowds::*;
use removal::*;

testkit::cases! {
    of_three_ranges_the_right_handler_is_asked needs testkit::need::native;
    a_mended_page_is_asked_about_once;
    a_handler_before_the_copies_takes_their_faults_and_one_after_does_not;
    not_mine_and_no_range_at_all_are_a_crash_like_any_other;
    a_handler_that_panics_ends_the_process_and_says_so;
    a_fault_past_the_end_of_a_file_is_answered_too;
    ranges_that_are_empty_wrap_overlap_or_are_not_aligned_are_refused;
    a_removed_range_is_answered_no_more_and_its_handler_is_dropped;
    removing_a_range_waits_for_its_handler_and_for_no_other;
    a_handler_may_fault_in_another_range;
    a_handler_that_faults_in_its_own_range_for_ever_ends_the_process;
    threads_that_fault_on_one_page_all_go_on;
    among_ten_thousand_ranges_each_fault_finds_its_own;
    ranges_come_and_go_while_others_fault;
    a_child_made_by_fork_has_the_same_ranges;
}

/// Opens the page that was touched, counts, and remembers the last fault.
#[derive(Default)]
struct Opener {
    faults: AtomicUsize,
    address: AtomicUsize,
    writes: AtomicUsize,
    _dropped: Option<Dropped>,
}

/// Says when it goes.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

// SAFETY: atomics and mprotect(2) only; the cases' pages hold no Rust values.
unsafe impl OnFault for Opener {
    fn on_fault(&self, fault: &Fault) -> Answer {
        let Some(address) = fault.address() else { return Answer::NotMine };
        self.faults.fetch_add(1, SeqCst);
        self.address.store(address, SeqCst);
        if fault.access() == Access::Write {
            self.writes.fetch_add(1, SeqCst);
        }
        match set(address & !(page() - 1), page(), OPEN) {
            true => Answer::Mended,
            false => Answer::NotMine,
        }
    }
}

fn page() -> usize {
    PageSize::system().bytes()
}

fn set(start: usize, len: usize, protection: ProtFlags) -> bool {
    let start = NonNull::new(ptr::with_exposed_provenance_mut(start)).unwrap();
    // SAFETY: the cases pass pages of their own.
    unsafe { mprotect(start, len, protection) }.is_ok()
}

fn register(guard: Guard, at: *mut u8, handler: Arc<dyn OnFault>) -> Registration {
    guard.register(at.expose_provenance(), PART, Turn::BeforeCopies, handler).unwrap()
}

/// A plain store, without a net.
fn store(to: *mut u8, byte: u8) {
    // SAFETY: the cases pass pages of their own, or want to die of it.
    unsafe { to.write_volatile(byte) };
}

fn load(from: *const u8) -> u8 {
    // SAFETY: as for `store`.
    unsafe { from.read_volatile() }
}

fn died_of(signal: Signal, status: WaitStatus) -> bool {
    matches!(status, WaitStatus::Signaled(_, by, _) if by == signal)
}

/// Answers that it is somebody else's.
struct NotMine(AtomicU32);

// SAFETY: one atomic.
unsafe impl OnFault for NotMine {
    fn on_fault(&self, _: &Fault) -> Answer {
        self.0.fetch_add(1, SeqCst);
        Answer::NotMine
    }
}

/// Puts zero pages where the file has none.
struct ZeroPages;

// SAFETY: mmap(2) at the page of the fault, which holds no Rust value.
unsafe impl OnFault for ZeroPages {
    fn on_fault(&self, fault: &Fault) -> Answer {
        let (Cause::PastEndOfFile, Some(address)) = (fault.cause(), fault.address()) else {
            return Answer::NotMine;
        };
        let at = ptr::with_exposed_provenance_mut(address & !(page() - 1));
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: the page belongs to the case's mapping.
        let mapped = unsafe { libc::mmap(at, page(), libc::PROT_READ, flags, -1, 0) };
        if mapped == at { Answer::Mended } else { Answer::NotMine }
    }
}
