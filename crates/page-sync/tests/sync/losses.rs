//! What an error of the device means for what comes after it.

use std::fs;

use ipc_common::{Errno, Error};
use page_sync::file::PageFile;
use page_sync::sync::Msync;

use crate::common::{file_of, injected_ok, page};
use crate::errors::{errno, remembered};

pub fn after_eio_no_success_of_any_call_hides_it() {
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

pub fn every_call_that_syncs_can_start_a_loss() {
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
pub fn without_the_memory_a_second_msync_succeeds() {
    injected_ok(&["msync:error=EIO:when=1"], || {
        let (folder, file) = file_of(1);
        drop(file);
        let file = fs::File::options().read(true).write(true).open(folder.file("file")).unwrap();
        let map = memmap2::MmapOptions::new().map_raw(&file).unwrap();
        assert!(map.flush().is_err());
        assert!(map.flush().is_ok(), "it says nothing of the error before");
    });
}

pub fn a_full_disk_found_late_is_a_loss_too() {
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
pub fn whatever_a_server_may_have_answered_is_a_loss() {
    let all = [
        "fsync:error=EINTR:when=1",
        "fdatasync:error=EINVAL:when=1",
        "sync_file_range:error=EBADF:when=1",
        "msync:error=EBUSY:when=2",
    ];
    injected_ok(&all, || {
        type Call = fn(&PageFile) -> ipc_common::Result<()>;
        let calls: [(Errno, Call); 4] = [
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
pub fn no_memory_in_the_kernel_is_a_loss() {
    injected_ok(&["msync:error=ENOMEM:when=1"], || {
        let (_folder, file) = file_of(1);
        let error = file.sync(.., Msync::SYNC).unwrap_err();
        assert_eq!(error.errno(), Errno::ENOMEM);
        assert!(error.remedy().contains("may be gone"), "{error}");
        remembered(file.sync(.., Msync::SYNC));
    });
}

pub fn threads_all_hear_of_a_loss() {
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

pub fn rewriting_everything_makes_it_good() {
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

pub fn a_rewrite_that_fails_makes_nothing_good() {
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

pub fn another_object_of_the_same_file_is_not_concerned() {
    injected_ok(&["msync:error=EIO:when=1"], || {
        let (folder, file) = file_of(1);
        file.sync(.., Msync::SYNC).unwrap_err();
        // The kernel reports to each opening by itself: this one was never told of an error.
        let other = PageFile::open(folder.file("file")).unwrap();
        other.sync(.., Msync::SYNC).unwrap();
        remembered(file.sync(.., Msync::SYNC));
    });
}
