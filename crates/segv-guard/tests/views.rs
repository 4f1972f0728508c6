//! Views of a file that is cut shorter: every copy is an error, and nobody dies.

mod support;

use std::ptr::NonNull;

use ipc_common::Errno;
use ipc_common::view::WriteView;
use nix::sys::mman::{ProtFlags, mprotect};
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::ftruncate;
use segv_guard::{Cause, install};
use support::{OPEN, PART, in_child, pages, short_file};

testkit::cases! {
    past_the_end_of_a_file_every_copy_of_a_view_is_an_error;
    where_the_protection_was_taken_every_copy_of_a_view_is_an_error;
    the_error_says_how_many_bytes_are_good;
    a_probe_of_a_view_gives_the_fault_and_the_good_bytes_as_values;
    without_the_guard_a_view_still_dies_of_sigbus;
    a_peer_that_cuts_and_grows_the_file_all_the_time_harms_no_copy;
}

/// A view of `len` bytes.
fn view(start: *mut u8, len: usize) -> WriteView<'static> {
    // SAFETY: the memory is mapped until the case ends, and seen through views only.
    unsafe { WriteView::new(NonNull::new(start).unwrap(), len) }
}

/// Everything that copies, on a view that begins where there is nothing.
fn all_fail(view: WriteView<'_>, errno: Errno) {
    for size in [1, 3, 8, 16, 40, 100, 500, 5_000, 30_000] {
        let mut bytes = vec![1; size];
        let errors = [
            view.read(0, &mut bytes).unwrap_err(),
            view.read_vec(10, size).unwrap_err(),
            view.write(20, &bytes).unwrap_err(),
            view.fill(30, size, 7).unwrap_err(),
            view.put_text(&bytes).unwrap_err(),
            view.text().unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.errno(), errno, "{error}");
            assert!(error.remedy().contains("first 0 bytes"), "{error}");
        }
    }
}

fn past_the_end_of_a_file_every_copy_of_a_view_is_an_error() {
    install().unwrap();
    let (start, file) = short_file();
    let gone = view(start.wrapping_add(PART), PART);
    all_fail(gone, Errno::EIO);
    ftruncate(&file, 2 * PART as i64).unwrap();
    assert_eq!(gone.put_text(b"grown").unwrap().cut, 0);
    assert_eq!(gone.text().unwrap().to_str(), Some("grown"));
}

fn where_the_protection_was_taken_every_copy_of_a_view_is_an_error() {
    install().unwrap();
    let start = pages(ProtFlags::PROT_NONE);
    all_fail(view(start, PART), Errno::EFAULT);
    // SAFETY: the case's own pages.
    unsafe { mprotect(NonNull::new(start).unwrap().cast(), PART, OPEN) }.unwrap();
    assert_eq!(view(start, PART).put_text(b"open again").unwrap().cut, 0);
}

fn the_error_says_how_many_bytes_are_good() {
    install().unwrap();
    let (start, _file) = short_file();
    let all = view(start, 2 * PART);
    all.fill(0, PART, b'x').unwrap();
    let mut bytes = vec![0; 10_000];
    let error = all.read(PART - 4096, &mut bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ReadView::read: 10000 bytes at offset 61440: EIO: only the first 4096 bytes were copied: \
         the file behind this memory was cut shorter, so its last pages are gone (or its device \
         could not deliver them); map it anew"
    );
    assert!(error.is_from_kernel());
    assert!(bytes[..4096].iter().all(|byte| *byte == b'x'));
    // Text that ends on a page that is still there is whole.
    all.write(PART - 1, &[0]).unwrap();
    assert_eq!(all.text().unwrap().len(), PART - 1);
}

fn a_probe_of_a_view_gives_the_fault_and_the_good_bytes_as_values() {
    let guard = install().unwrap();
    let (start, _file) = short_file();
    let all = view(start, 2 * PART);
    let bytes = vec![b'y'; 2 * PART + 5];
    let cut = guard.copy_in(all, &bytes).unwrap_err();
    assert_eq!((cut.good, cut.fault.cause()), (PART, Cause::PastEndOfFile));
    assert_eq!(cut.fault.address(), Some(start.addr() + PART));
    let mut copy = vec![0; PART];
    assert_eq!(guard.copy_out(all.as_read(), &mut copy), Ok(PART));
    assert_eq!(copy, bytes[..PART]);
    assert_eq!(guard.copy_out(all.part(0, 10).unwrap().as_read(), &mut copy), Ok(10));
    assert!(cut.to_string().starts_with("after 65536 good bytes: "), "{cut}");
}

fn without_the_guard_a_view_still_dies_of_sigbus() {
    let (start, _file) = short_file();
    let status = in_child(|| view(start.wrapping_add(PART), 10).text().is_ok().into());
    assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGBUS, _)), "{status:?}");
}

fn a_peer_that_cuts_and_grows_the_file_all_the_time_harms_no_copy() {
    install().unwrap();
    let (start, file) = short_file();
    let all = view(start, 2 * PART);
    // SAFETY: the child only calls the kernel.
    let peer = match unsafe { nix::unistd::fork() }.unwrap() {
        nix::unistd::ForkResult::Parent { child } => child,
        nix::unistd::ForkResult::Child => {
            nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).unwrap();
            loop {
                for pages in [0, 7, 32, 3, 1, 19] {
                    let _ = ftruncate(&file, pages * 4096);
                }
            }
        }
    };
    let (mut whole, mut cut) = (0, 0);
    let mut bytes = vec![0; 70_000];
    let mut rounds = testkit::rounds(3_000, 100_000);
    while let Some(round) = rounds.next(whole > 0 && cut > 0) {
        let (offset, len) = (round * 977 % 60_000, round * 331 % 70_000);
        let copied = match round % 4 {
            0 => all.read(offset, &mut bytes[..len]),
            1 => all.write(offset, &bytes[..len]),
            2 => all.text().map(drop),
            _ => all.fill(offset, len, 1),
        };
        match copied {
            Ok(()) => whole += 1,
            Err(error) => {
                assert_eq!(error.errno(), Errno::EIO, "{error}");
                cut += 1;
            }
        }
    }
    nix::sys::signal::kill(peer, Signal::SIGKILL).unwrap();
    nix::sys::wait::waitpid(peer, None).unwrap();
    assert!(whole > 0 && cut > 0, "{whole} whole, {cut} cut: the peer was not in the way");
}
