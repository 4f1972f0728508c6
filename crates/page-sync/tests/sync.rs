//! msync, fdatasync, fsync and sync_file_range on the real kernel; errors by strace where the
//! device would have to fail.

mod common;

use std::ffi::c_void;
use std::fs;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use common::{file_of, injected_ok, page};
use ipc_common::{Errno, Error};
use nix::sys::mman::{mlock, munlock, munmap};
use page_sync::file::PageFile;
use page_sync::sync::Msync;
use testkit::need;

testkit::cases! {
    the_pages_synced_are_those_that_hold_the_bytes;
    bad_ranges_are_refused_before_the_kernel_is_asked;
    locked_pages_are_ebusy_only_with_invalidate;
    an_unmapped_page_is_enomem_and_no_loss;
    a_file_cut_shorter_is_an_error_and_no_success;
    zeros_in_the_place_of_pages_are_never_synced_with_success;
    strace_sees_whole_pages_and_never_both_flags needs need::strace;
    after_eio_no_success_of_any_call_hides_it needs need::strace;
    every_call_that_syncs_can_start_a_loss needs need::strace;
    without_the_memory_a_second_msync_succeeds needs need::strace;
    a_full_disk_found_late_is_a_loss_too needs need::strace;
    whatever_a_server_may_have_answered_is_a_loss needs need::strace;
    no_memory_in_the_kernel_is_a_loss needs need::strace;
    threads_all_hear_of_a_loss needs need::strace;
    rewriting_everything_makes_it_good needs need::strace;
    a_rewrite_that_fails_makes_nothing_good needs need::strace;
    another_object_of_the_same_file_is_not_concerned needs need::strace;
}

fn errno<T>(result: ipc_common::Result<T>) -> Errno {
    result.err().expect("an error").errno()
}

fn the_pages_synced_are_those_that_hold_the_bytes() {
    let (_folder, file) = file_of(4);
    for (from, to, pages) in [
        (0, 1, 0..1),
        (page() - 1, page(), 0..1),
        (page() - 1, page() + 1, 0..2),
        (page(), 2 * page(), 1..2),
        (page() + 5, 3 * page() + 1, 1..4),
        (0, 4 * page(), 0..4),
    ] {
        for how in [Msync::SYNC, Msync::ASYNC, Msync::SYNC.invalidate(), Msync::ASYNC.invalidate()]
        {
            assert_eq!(file.sync(from..to, how).unwrap(), pages, "{from}..{to}, {how}");
        }
        assert_eq!(file.write_out(from..to).unwrap(), pages);
    }
    assert_eq!(file.sync(.., Msync::SYNC).unwrap(), 0..4);
    assert_eq!(file.sync(..=page(), Msync::SYNC).unwrap(), 0..2);
    file.fdatasync().unwrap();
    file.fsync().unwrap();
    assert!(file.loss().is_none());
}

fn bad_ranges_are_refused_before_the_kernel_is_asked() {
    let (_folder, file) = file_of(2);
    let size = 2 * page();
    let reversed = page()..page() - 1;
    for (result, expected) in [
        (file.sync(7..7, Msync::SYNC), Errno::EINVAL),
        (file.sync(size.., Msync::SYNC), Errno::EINVAL),
        (file.sync(reversed, Msync::SYNC), Errno::EINVAL),
        (file.sync(0..size + 1, Msync::SYNC), Errno::ERANGE),
        (file.sync(size..size + 1, Msync::SYNC), Errno::ERANGE),
        (file.sync(0..usize::MAX, Msync::ASYNC), Errno::ERANGE),
        (file.sync(0..=usize::MAX, Msync::ASYNC), Errno::EOVERFLOW),
        (file.write_out(size..=size), Errno::ERANGE),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.errno(), expected, "{error}");
        assert!(!error.is_from_kernel());
    }
}

fn at(file: &PageFile, number: usize) -> NonNull<c_void> {
    NonNull::new(std::ptr::without_provenance_mut(file.address() + number * page())).unwrap()
}

fn locked_pages_are_ebusy_only_with_invalidate() {
    let (folder, file) = file_of(3);
    // SAFETY: locking changes no byte; the page is mapped.
    unsafe { mlock(at(&file, 1), page()) }.unwrap();
    for how in [Msync::SYNC.invalidate(), Msync::ASYNC.invalidate()] {
        let error = file.sync(.., how).unwrap_err();
        assert_eq!(error.errno(), Errno::EBUSY);
        assert!(error.remedy().contains("munlock") && error.is_from_kernel(), "{error}");
    }
    assert!(file.loss().is_none(), "nothing is lost, nothing was written");
    file.sync(0..page(), Msync::SYNC.invalidate()).expect("the lock is on another page");
    file.sync(.., Msync::SYNC).expect("without MS_INVALIDATE a lock does not matter");
    // SAFETY: as above.
    unsafe { munlock(at(&file, 1), page()) }.unwrap();
    file.sync(.., Msync::SYNC.invalidate()).unwrap();
    assert_eq!(fs::read(folder.file("file")).unwrap()[2 * page()], 2);
}

fn an_unmapped_page_is_enomem_and_no_loss() {
    let (_folder, file) = file_of(3);
    // SAFETY: nobody touches that page any more. The mapping is forgotten below: it would unmap
    // whatever is at that place by then.
    unsafe { munmap(at(&file, 1), page()) }.unwrap();
    let error = file.sync(.., Msync::SYNC).unwrap_err();
    assert_eq!(error.errno(), Errno::ENOMEM);
    assert!(error.remedy().contains("not mapped"), "{error}");
    assert!(file.loss().is_none(), "what was mapped has been synced");
    file.sync(2 * page().., Msync::SYNC).unwrap();
    std::mem::forget(file);
}

fn a_file_cut_shorter_is_an_error_and_no_success() {
    let (folder, file) = file_of(4);
    let other = fs::File::options().write(true).open(folder.file("file")).unwrap();
    other.set_len(2 * page() as u64).unwrap();
    for range in [0..4 * page(), 3 * page()..4 * page(), 2 * page()..2 * page() + 1] {
        for how in [Msync::SYNC, Msync::ASYNC] {
            let error = file.sync(range.clone(), how).unwrap_err();
            assert_eq!(error.errno(), Errno::ERANGE, "{range:?}");
            assert!(error.remedy().contains("cut the file shorter"), "{error}");
        }
    }
    assert_eq!(file.sync(..2 * page(), Msync::SYNC).unwrap(), 0..2, "what is left is synced");
    // A copy past the end is an error at once; and the process lives.
    assert_eq!(errno(file.page_mut(3).unwrap().write(0, b"gone")), Errno::EIO);
}

fn zeros_in_the_place_of_pages_are_never_synced_with_success() {
    let (folder, file) = file_of(2);
    let word = file.page_mut(1).unwrap().atomic_u32(0).unwrap();
    let other = fs::File::options().write(true).open(folder.file("file")).unwrap();
    other.set_len(page() as u64).unwrap();
    word.store(1, Ordering::Relaxed); // would be SIGBUS
    other.set_len(2 * page() as u64).unwrap(); // and nobody can see any more that it was cut
    for result in [
        file.sync(.., Msync::SYNC).map(drop),
        file.sync(..1, Msync::ASYNC).map(drop),
        file.fsync(),
        file.fdatasync(),
        file.write_out(..).map(drop),
    ] {
        assert_eq!(errno(result), Errno::EIO);
    }
}

/// What the kernel is given, in its own words.
fn strace_sees_whole_pages_and_never_both_flags() {
    if std::env::var_os("PAGE_SYNC_TRACED").is_some() {
        let (_folder, file) = file_of(3);
        file.sync(page() + 1..page() + 2, Msync::SYNC).unwrap();
        file.sync(page() - 1..page() + 1, Msync::ASYNC.invalidate()).unwrap();
        return;
    }
    let folder = testkit::folder();
    let log = folder.file("log");
    let mut strace = std::process::Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=msync", "-o"]).arg(&log);
    strace.arg(std::env::current_exe().unwrap()).env("PAGE_SYNC_TRACED", "1");
    testkit::Program::run(&mut strace).ok();
    let log = fs::read_to_string(&log).unwrap();
    let calls: Vec<&str> = log.lines().filter(|line| line.contains("msync(")).collect();
    assert_eq!(calls.len(), 2, "{log}");
    assert!(calls[0].contains(&format!(", {}, MS_SYNC) = 0", page())), "{log}");
    assert!(
        calls[1].contains(&format!(", {}, MS_ASYNC|MS_INVALIDATE) = 0", 2 * page()))
            || calls[1].contains(&format!(", {}, MS_INVALIDATE|MS_ASYNC) = 0", 2 * page())),
        "{log}"
    );
}

/// Its errno, once it is sure that it is the memory that speaks, and not the kernel.
fn remembered<T: std::fmt::Debug>(result: ipc_common::Result<T>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.errno(), Errno::EIO);
    assert!(!error.is_from_kernel() && error.remedy().contains("may be gone"), "{error}");
    error
}

fn after_eio_no_success_of_any_call_hides_it() {
    injected_ok(&["msync:error=EIO:when=1"], || {
        let (_folder, file) = file_of(4);
        let error = file.sync(page()..2 * page(), Msync::SYNC).unwrap_err();
        assert_eq!(error.errno(), Errno::EIO);
        assert!(error.is_from_kernel() && error.remedy().contains("may be gone"), "{error}");
        for _ in 0..2 {
            remembered(file.sync(.., Msync::SYNC));
            remembered(file.sync(3 * page().., Msync::SYNC)); // other pages
            remembered(file.sync(.., Msync::ASYNC));
            remembered(file.fsync());
            remembered(file.fdatasync());
            remembered(file.write_out(..));
        }
        let loss = file.loss().unwrap();
        assert_eq!((loss.call(), loss.errno(), loss.pages()), ("msync", Errno::EIO, 1..2));
        assert_eq!(loss.failures(), 1);
        let said = remembered(page_sync::durable::persist(&file).map(drop));
        assert!(said.to_string().contains("msync of pages 1..2 failed with EIO"), "{said}");
    });
}

fn every_call_that_syncs_can_start_a_loss() {
    let all = [
        "msync:error=EIO:when=1",
        "fsync:error=EIO:when=1",
        "fdatasync:error=EIO:when=1",
        "sync_file_range:error=EIO:when=1",
    ];
    injected_ok(&all, || {
        type Call = fn(&PageFile) -> ipc_common::Result<()>;
        let calls: [(&str, Call); 4] = [
            ("msync", |file| file.sync(.., Msync::SYNC).map(drop)),
            ("fsync", PageFile::fsync),
            ("fdatasync", PageFile::fdatasync),
            ("sync_file_range", |file| file.write_out(..).map(drop)),
        ];
        for (name, call) in calls {
            let (_folder, file) = file_of(2);
            assert!(call(&file).unwrap_err().is_from_kernel(), "{name}");
            assert_eq!(file.loss().unwrap().call(), name);
            // (The first of each other call is spoilt, too.)
            remembered(file.sync(.., Msync::ASYNC));
            remembered(file.sync(.., Msync::SYNC));
        }
    });
}

/// The twin: memmap2's flush, which is the kernel's own answer, hides it.
fn without_the_memory_a_second_msync_succeeds() {
    injected_ok(&["msync:error=EIO:when=1"], || {
        let (folder, file) = file_of(1);
        drop(file);
        let file = fs::File::options().read(true).write(true).open(folder.file("file")).unwrap();
        let map = memmap2::MmapOptions::new().map_raw(&file).unwrap();
        assert!(map.flush().is_err());
        assert!(map.flush().is_ok(), "it says nothing of the error before");
    });
}

fn a_full_disk_found_late_is_a_loss_too() {
    injected_ok(&["fsync:error=ENOSPC:when=1", "msync:error=EDQUOT:when=1"], || {
        let (_folder, file) = file_of(1);
        assert_eq!(errno(file.fsync()), Errno::ENOSPC);
        remembered(file.fdatasync());
        assert_eq!(errno(file.sync(.., Msync::SYNC)), Errno::EDQUOT);
        let loss = file.loss().unwrap();
        assert_eq!((loss.errno(), loss.failures()), (Errno::ENOSPC, 2), "the first one is named");
    });
}

/// The kernel hands on what a write ended with, so no number means "refused before it began". (By
/// a server of our own: tests/fuse.rs.) The second msync is the one that counts: the first asks
/// for locks.
fn whatever_a_server_may_have_answered_is_a_loss() {
    let all = [
        "fsync:error=EINTR:when=1",
        "fdatasync:error=EINVAL:when=1",
        "sync_file_range:error=EBADF:when=1",
        "msync:error=EBUSY:when=2",
    ];
    injected_ok(&all, || {
        let calls: [(Errno, fn(&PageFile) -> ipc_common::Result<()>); 4] = [
            (Errno::EINTR, PageFile::fsync),
            (Errno::EINVAL, PageFile::fdatasync),
            (Errno::EBADF, |file| file.write_out(..).map(drop)),
            (Errno::EBUSY, |file| file.sync(.., Msync::SYNC.invalidate()).map(drop)),
        ];
        for (number, call) in calls {
            let (_folder, file) = file_of(1);
            let error = call(&file).unwrap_err();
            assert_eq!(error.errno(), number);
            assert!(error.remedy().contains("may be gone"), "{error}");
            remembered(call(&file));
        }
    });
}

/// All pages are mapped, so it was not about that.
fn no_memory_in_the_kernel_is_a_loss() {
    injected_ok(&["msync:error=ENOMEM:when=1"], || {
        let (_folder, file) = file_of(1);
        let error = file.sync(.., Msync::SYNC).unwrap_err();
        assert_eq!(error.errno(), Errno::ENOMEM);
        assert!(error.remedy().contains("may be gone"), "{error}");
        remembered(file.sync(.., Msync::SYNC));
    });
}

fn threads_all_hear_of_a_loss() {
    injected_ok(&["msync:error=EIO:when=3"], || {
        let (_folder, file) = file_of(8);
        std::thread::scope(|scope| {
            for number in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    let own = file.pages().bytes_of(number).unwrap();
                    let mut lost = false;
                    for _ in 0..20 {
                        let done = file.sync(own.clone(), Msync::SYNC);
                        assert!(done.is_err() || !lost, "a success after the loss");
                        lost = lost || file.loss().is_some();
                    }
                    assert!(lost, "strace counts for each thread, and each has had its third");
                });
            }
        });
        remembered(file.fsync());
    });
}

fn rewriting_everything_makes_it_good() {
    injected_ok(&["msync:error=EIO:when=1"], || {
        let (folder, mut file) = file_of(3);
        file.sync(.., Msync::SYNC).unwrap_err();
        remembered(file.fsync());
        let mut asked = Vec::new();
        let loss = file.rewrite(|number, bytes| {
            asked.push(number);
            bytes[..4].fill(number as u8 + 100);
            Ok(())
        });
        assert_eq!(loss.unwrap().unwrap().pages(), 0..3);
        assert_eq!(asked, [0, 1, 2]);
        assert!(file.loss().is_none());
        file.sync(.., Msync::SYNC).unwrap();
        file.fsync().unwrap();
        let bytes = fs::read(folder.file("file")).unwrap();
        for number in 0..3 {
            let found = &bytes[number * page()..(number + 1) * page()];
            assert_eq!(found[..5], [[number as u8 + 100; 4].as_slice(), &[0]].concat());
            assert!(found[4..].iter().all(|byte| *byte == 0), "all of the page is new");
        }
        assert!(file.rewrite(|_, _| Ok(())).unwrap().is_none(), "there was nothing to make good");
    });
}

fn a_rewrite_that_fails_makes_nothing_good() {
    injected_ok(&["msync:error=EIO:when=1..2", "fsync:error=EIO:when=1"], || {
        let (_folder, mut file) = file_of(3);
        file.sync(0..1, Msync::SYNC).unwrap_err();
        // The source has no copy after all.
        let none = |_: usize, _: &mut [u8]| Err(Error::new("read", Errno::ENOENT, "copy"));
        assert_eq!(file.rewrite(none).unwrap_err().errno(), Errno::ENOENT);
        remembered(file.write_out(..));
        // The device fails again: the second msync, or the first fsync.
        for _ in 0..2 {
            let error = file.rewrite(|_, _| Ok(())).unwrap_err();
            assert_eq!(error.errno(), Errno::EIO, "{error}");
            let loss = file.loss().unwrap();
            assert_eq!(loss.call(), "msync", "the first failure is still the one that is named");
            assert_eq!(loss.pages(), 0..3);
        }
        file.rewrite(|_, _| Ok(())).unwrap().unwrap();
        file.fsync().unwrap();
    });
}

fn another_object_of_the_same_file_is_not_concerned() {
    injected_ok(&["msync:error=EIO:when=1"], || {
        let (folder, file) = file_of(1);
        file.sync(.., Msync::SYNC).unwrap_err();
        // The kernel reports to each opening by itself: this one was never told of an error.
        let other = PageFile::open(folder.file("file")).unwrap();
        other.sync(.., Msync::SYNC).unwrap();
        remembered(file.sync(.., Msync::SYNC));
    });
}
