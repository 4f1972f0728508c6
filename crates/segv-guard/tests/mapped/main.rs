//! Loads, stores and atomics in a mapping whose file is cut shorter.

mod crowds;
#[path = "../support/mod.rs"]
mod support;
mod watches;

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::{ptr, thread};

use ipc_common::view::WriteView;
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::wait::WaitStatus;
use nix::unistd::ftruncate;
use segv_guard::table::{Answer, OnFault, Turn};
use segv_guard::{AltStack, Cause, Fault, FileWatch, install};
use support::{OPEN, PART, in_child, mappings_that_can_be_used_up, max_map_count, pages};

use crowds::*;
use watches::*;

testkit::cases! {
    an_atomic_past_the_end_gets_zeros_and_the_flag_is_set;
    copies_still_get_their_error_and_nothing_is_replaced;
    whoever_sees_a_zero_sees_the_flag;
    eight_threads_that_fault_on_one_page_at_once_all_go_on_and_lose_nothing;
    a_signal_in_the_middle_of_a_fault_may_touch_a_missing_page_itself;
    what_one_thread_stored_in_the_zeros_stays_when_another_faults_behind_it;
    what_a_forked_child_touches_is_replaced_in_the_child_only;
    a_child_forked_in_the_middle_of_a_fault_waits_for_no_thread_that_it_has_not;
    without_the_watch_it_is_sigbus_again;
    executing_past_the_end_stays_deadly needs testkit::need::native;
    zeros_in_a_mapping_for_reading_are_not_writable;
    up_to_the_limit_of_mappings_pages_are_replaced_and_beyond_it_is_sigbus
        needs mappings_that_can_be_used_up;
    watches_that_come_and_go_do_not_disturb_a_fault;
    hundreds_of_watches_at_once_each_answer_for_their_own;
    a_watch_overlaps_no_other_and_no_range;
    a_place_that_is_used_again_remembers_nothing;
}

/// Four parts of a file, mapped.
struct Mapped {
    start: *mut u8,
    file: OwnedFd,
    watch: Option<FileWatch>,
}

// SAFETY: the pointer is used by atomics only.
unsafe impl Sync for Mapped {}

impl Mapped {
    fn new(protection: ProtFlags) -> Mapped {
        let file = memfd_create("mapped", MFdFlags::empty()).unwrap();
        ftruncate(&file, 4 * PART as i64).unwrap();
        let len = NonZeroUsize::new(4 * PART).unwrap();
        // SAFETY: a new mapping of a file that nobody else has.
        let start = unsafe { mmap(None, len, protection, MapFlags::MAP_SHARED, &file, 0) };
        let start = start.unwrap().cast::<u8>().as_ptr();
        // SAFETY: only atomics and views are made of it, and it stays until the case ends.
        let watch =
            unsafe { install().unwrap().watch_file(start.addr(), 4 * PART, protection) }.unwrap();
        Mapped { start, file, watch: Some(watch) }
    }

    fn cut(&self, parts: usize) {
        ftruncate(&self.file, (parts * PART) as i64).unwrap();
    }

    fn word(&self, part: usize) -> &AtomicU32 {
        let at = self.start.wrapping_add(part * PART);
        // SAFETY: in the mapping, aligned, and accessed by atomics and views only.
        unsafe { AtomicU32::from_ptr(at.cast()) }
    }

    fn flag(&self) -> &AtomicBool {
        self.watch.as_ref().unwrap().replaced()
    }

    fn replaced(&self) -> bool {
        self.watch.as_ref().unwrap().is_replaced()
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // In this order: whatever is mapped there next is not for the watch.
        drop(self.watch.take());
        // SAFETY: the case's own mapping, of which no reference is used any more.
        unsafe { libc::munmap(self.start.cast(), 4 * PART) };
    }
}

fn an_atomic_past_the_end_gets_zeros_and_the_flag_is_set() {
    let mapped = Mapped::new(OPEN);
    for part in 0..4 {
        mapped.word(part).store(7 + part as u32, Ordering::Relaxed);
    }
    mapped.cut(2);
    assert_eq!(mapped.word(1).load(Ordering::Relaxed), 8);
    assert!(!mapped.replaced(), "what is there still is the file's");
    assert_eq!(mapped.word(3).fetch_add(5, Ordering::Relaxed), 0);
    assert!(mapped.replaced());
    assert_eq!(
        (mapped.word(2).load(Ordering::Relaxed), mapped.word(3).load(Ordering::Relaxed)),
        (0, 5)
    );
    mapped.cut(4);
    assert_eq!(mapped.word(0).load(Ordering::Relaxed), 7);
    let mut byte = [9];
    nix::sys::uio::pread(&mapped.file, &mut byte, 3 * PART as i64).unwrap();
    assert_eq!(byte, [0], "what was stored into the zeros never reaches the file");
    assert_eq!(mapped.word(3).load(Ordering::Relaxed), 5, "nor what is in the file us");
}

fn copies_still_get_their_error_and_nothing_is_replaced() {
    let mapped = Mapped::new(OPEN);
    mapped.cut(1);
    let start = std::ptr::NonNull::new(mapped.start).unwrap();
    // SAFETY: mapped for as long as the case runs; all access is by views and atomics.
    let view = unsafe { WriteView::new(start, 4 * PART) }.watched(mapped.flag());
    let mut bytes = vec![0; 2 * PART];
    let guard = install().unwrap();
    let cut = guard.copy_out(view.as_read(), &mut bytes).unwrap_err();
    assert_eq!((cut.good, cut.fault.cause()), (PART, Cause::PastEndOfFile));
    assert_eq!(view.read(0, &mut bytes).unwrap_err().good_bytes(), Some(PART));
    assert!(!mapped.replaced());
    view.check().unwrap();

    view.load_u32(2 * PART, Ordering::Relaxed).unwrap_err();
    assert!(mapped.replaced() && view.check().is_err());
    // The call that did it has said so, and from now on all of them do, also about good pages.
    let zeros = view.part(2 * PART, PART).unwrap().as_read();
    let cut = guard.copy_out(zeros, &mut bytes).unwrap_err();
    assert_eq!((cut.good, cut.fault.cause()), (0, Cause::PastEndOfFile));
    assert_eq!(guard.copy_in(view, &[1]).unwrap_err().good, 0);
    assert_eq!(view.write(0, &[1]).unwrap_err().good_bytes(), Some(0));
    assert!(view.atomic_u32(0).is_err() && view.read_vec(0, 1).is_err());
    assert!(view.text().is_err() && view.fill(0, 1, 1).is_err() && view.wake_all(0).is_err());
}

fn without_the_watch_it_is_sigbus_again() {
    let mut mapped = Mapped::new(OPEN);
    drop(mapped.watch.take());
    mapped.cut(0);
    let status = in_child(|| mapped.word(0).load(Ordering::Relaxed) as i32);
    assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGBUS, _)), "{status:?}");
}

fn executing_past_the_end_stays_deadly() {
    let mapped = Mapped::new(OPEN | ProtFlags::PROT_EXEC);
    mapped.cut(0);
    let status = in_child(|| {
        // SAFETY: none: the child is there to die of it.
        let function: extern "C" fn() = unsafe { std::mem::transmute(mapped.start) };
        function();
        0
    });
    assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGBUS, _)), "{status:?}");
}

fn zeros_in_a_mapping_for_reading_are_not_writable() {
    let mapped = Mapped::new(ProtFlags::PROT_READ);
    mapped.cut(0);
    assert_eq!(mapped.word(0).load(Ordering::Relaxed), 0);
    let status = in_child(|| {
        mapped.word(0).store(1, Ordering::Relaxed);
        0
    });
    assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGSEGV, _)), "{status:?}");
}

/// A fault when no mapping more can be had; in a child, since it takes all there are.
fn touch_with_no_mapping_left(but: usize) -> WaitStatus {
    in_child(|| {
        let mapped = Mapped::new(OPEN);
        mapped.cut(1);
        let page = NonZeroUsize::new(4096).unwrap();
        let mut taken = Vec::with_capacity(max_map_count() + 100);
        // Neighbours of different protection do not melt into one.
        let mut protection = ProtFlags::PROT_READ;
        loop {
            // SAFETY: new memory at an address of the kernel's choice.
            let new = unsafe { mmap_anonymous(None, page, protection, MapFlags::MAP_PRIVATE) };
            let Ok(start) = new else { break };
            taken.push(start);
            protection ^= ProtFlags::PROT_READ;
        }
        for start in taken.iter().take(but) {
            // SAFETY: mapped above, and touched by nobody.
            unsafe { munmap(*start, page.get()) }.unwrap();
        }
        mapped.word(2).store(5, Ordering::Relaxed);
        let values = [0, 2].map(|part| mapped.word(part).load(Ordering::Relaxed));
        // To free it would make room for a mapping more.
        std::mem::forget(taken);
        i32::from(mapped.replaced() && values == [0, 5])
    })
}

fn up_to_the_limit_of_mappings_pages_are_replaced_and_beyond_it_is_sigbus() {
    let status = touch_with_no_mapping_left(1);
    assert!(matches!(status, WaitStatus::Exited(_, 1)), "{status:?}");
    // mmap(2) lets a process have one more than vm.max_map_count, and then does not even replace.
    let status = touch_with_no_mapping_left(0);
    assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGBUS, _)), "{status:?}");
}
