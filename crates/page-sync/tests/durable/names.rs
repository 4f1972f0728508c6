//! A name made durable.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use ipc_common::Errno;
use page_sync::durable::{persist, persist_name};
use page_sync::file::PageFile;

use crate::common::{file_of, injected_ok};
use crate::tools::traced;

pub fn a_name_is_synced_by_its_folder() {
    let Some(calls) = traced("fsync,fdatasync,msync", || {
        let (folder, _) = file_of(1);
        // Opened anew: what was created without a name keeps that in the eyes of strace.
        let file = PageFile::open(folder.file("file")).unwrap();
        persist_name(folder.file("file")).unwrap();
        persist(&file).unwrap();
        std::env::set_current_dir(folder.path()).unwrap();
        persist_name("file").unwrap();
    }) else {
        return;
    };
    // The file itself is synced once, by `persist`.
    let files = calls.iter().filter(|call| call.contains("/file>)")).count();
    let folders = calls.iter().filter(|call| call.contains("ipc-course-test-")).count() - files;
    assert_eq!((files, folders), (1, 3), "{calls:#?}");
    assert!(calls.iter().all(|call| call.starts_with("fsync(") && call.ends_with("= 0")));
}

pub fn names_that_are_not_there_are_not_called_durable() {
    let folder = testkit::folder();
    let errno = |path: &Path| persist_name(path).unwrap_err().errno();
    assert_eq!(errno(&folder.file("none")), Errno::ENOENT);
    assert_eq!(errno(&folder.file("none/file")), Errno::ENOENT);
    assert_eq!(errno(Path::new("")), Errno::ENOENT);
    assert_eq!(errno(Path::new("/")), Errno::EISDIR);
    symlink("nowhere", folder.file("link")).unwrap();
    persist_name(folder.file("link")).expect("a link is a name, wherever it leads");
    fs::create_dir(folder.file("sub")).unwrap();
    persist_name(folder.file("sub")).unwrap();
}

pub fn a_folder_that_cannot_be_synced_is_an_error_and_not_a_success() {
    injected_ok(&["fsync:error=EIO"], || {
        let (folder, file) = file_of(1);
        let error = persist_name(folder.file("file")).unwrap_err();
        assert_eq!(error.errno(), Errno::EIO);
        assert!(error.about().contains("the folder of"), "{error}");
        assert_eq!(persist(&file).unwrap_err().errno(), Errno::EIO);
    });
}
