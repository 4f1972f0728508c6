//! Which pages are synced, and what is refused.

use std::ffi::c_void;
use std::fs;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use ipc_common::Errno;
use nix::sys::mman::{mlock, munlock, munmap};
use page_sync::file::PageFile;
use page_sync::sync::Msync;

use crate::common::{file_of, page};
use crate::errors::errno;

pub fn the_pages_synced_are_those_that_hold_the_bytes() {
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

pub fn bad_ranges_are_refused_before_the_kernel_is_asked() {
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

pub fn at(file: &PageFile, number: usize) -> NonNull<c_void> {
    NonNull::new(std::ptr::without_provenance_mut(file.address() + number * page())).unwrap()
}

pub fn locked_pages_are_ebusy_only_with_invalidate() {
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

pub fn an_unmapped_page_is_enomem_and_no_loss() {
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

pub fn a_file_cut_shorter_is_an_error_and_no_success() {
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

pub fn zeros_in_the_place_of_pages_are_never_synced_with_success() {
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
pub fn strace_sees_whole_pages_and_never_both_flags() {
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
