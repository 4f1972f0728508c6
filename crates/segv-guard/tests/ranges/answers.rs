//! Who is asked, and what his answer does.

use super::*;

pub fn of_three_ranges_the_right_handler_is_asked() {
    let guard = install().unwrap();
    let openers: [Arc<Opener>; 3] = Default::default();
    let areas = [(); 3].map(|()| pages(ProtFlags::PROT_READ));
    let ranges: Vec<_> =
        openers.iter().zip(areas).map(|(opener, at)| register(guard, at, opener.clone())).collect();
    for (asked, number) in [2, 0, 1].into_iter().enumerate() {
        let at = areas[number].wrapping_add(page() + 77);
        store(at, 5);
        assert_eq!((load(at), openers[number].address.load(SeqCst)), (5, at.addr()));
        assert_eq!(openers[number].writes.load(SeqCst), 1);
        assert_eq!(openers.iter().map(|o| o.faults.load(SeqCst)).sum::<usize>(), asked + 1);
    }
    // The first byte and the last, and not the ones beside them.
    store(areas[0], 1);
    store(areas[0].wrapping_add(PART - 1), 1);
    assert_eq!(openers[0].faults.load(SeqCst), 3);
    drop(ranges);
}

pub fn a_mended_page_is_asked_about_once() {
    let opener = Arc::new(Opener::default());
    let at = pages(ProtFlags::PROT_NONE);
    let _range = register(install().unwrap(), at, opener.clone());
    assert_eq!((load(at), opener.writes.load(SeqCst)), (0, 0));
    store(at, 9);
    assert_eq!((load(at), opener.faults.load(SeqCst)), (9, 1));
}

pub fn a_handler_before_the_copies_takes_their_faults_and_one_after_does_not() {
    let guard = install().unwrap();
    for (turn, mended) in [(Turn::BeforeCopies, true), (Turn::AfterCopies, false)] {
        let opener = Arc::new(Opener::default());
        let at = pages(ProtFlags::PROT_NONE);
        let _range = guard.register(at.addr(), PART, turn, opener.clone()).unwrap();
        let mut bytes = [1; 100];
        // SAFETY: pages of this case's.
        let copied = unsafe { guard.read(at, &mut bytes) };
        assert_eq!((copied.is_ok(), opener.faults.load(SeqCst)), (mended, mended.into()));
        // Without a net, both are asked.
        store(at, 1);
        assert_eq!(opener.faults.load(SeqCst), 1);
    }
}

pub fn not_mine_and_no_range_at_all_are_a_crash_like_any_other() {
    let guard = install().unwrap();
    let (inside, outside) = (pages(ProtFlags::PROT_NONE), pages(ProtFlags::PROT_NONE));
    let handler = Arc::new(NotMine(AtomicU32::new(0)));
    let _range = register(guard, inside, handler.clone());
    for at in [inside, outside, ptr::without_provenance_mut(8)] {
        let status = in_child(|| {
            store(at, 1);
            0
        });
        assert!(died_of(Signal::SIGSEGV, status), "{status:?}");
    }
    // A copy gets its error, after the handler has said no.
    // SAFETY: pages of this case's.
    let fault = unsafe { guard.read_byte(inside) }.unwrap_err();
    assert_eq!((fault.cause(), handler.0.load(SeqCst)), (Cause::Protection, 1));
}

/// Breaks the promise not to.
struct Panics;

// SAFETY: none: the child is there to die of it.
unsafe impl OnFault for Panics {
    fn on_fault(&self, _: &Fault) -> Answer {
        panic!("a handler's own bug");
    }
}

/// Unwinding would tear down frames of code that never called anything. So it stops at our handler,
/// which is no function that can unwind, and the process aborts, on a probe as on a plain store.
pub fn a_handler_that_panics_ends_the_process_and_says_so() {
    let guard = install().unwrap();
    let at = pages(ProtFlags::PROT_NONE);
    let _range = register(guard, at, Arc::new(Panics));
    for probe in [false, true] {
        let (status, heard) = heard_from_child(|| {
            // The panic is printed from the handler's own frame, and needs more stack than std's
            // alternate one has.
            let _stack = AltStack::for_this_thread().unwrap();
            let caught = std::panic::catch_unwind(|| match probe {
                // SAFETY: pages of this case's.
                true => drop(unsafe { guard.read_byte(at) }),
                false => store(at, 1),
            });
            i32::from(caught.is_err())
        });
        assert!(died_of(Signal::SIGABRT, status), "{status:?}: {heard}");
        assert!(heard.contains("a handler's own bug"), "{heard}");
        assert!(heard.contains("cannot unwind"), "{heard}");
    }
}

pub fn a_fault_past_the_end_of_a_file_is_answered_too() {
    let guard = install().unwrap();
    let (start, _file) = short_file();
    let _range = guard.register(start.addr(), 2 * PART, Turn::AfterCopies, Arc::new(ZeroPages));
    assert_eq!(load(start.wrapping_add(PART + 9)), 0);
    // SAFETY: a mapping of this case's.
    let fault = unsafe { guard.read_byte(start.wrapping_add(2 * PART - 1)) }.unwrap_err();
    assert_eq!(fault.cause(), Cause::PastEndOfFile, "copies keep their error");
}
