//! `write`, when something fails or is refused.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use testkit::{Program, small_tmpfs};

use crate::common::{names, page};
use crate::program::*;

pub fn write_says_that_it_failed_when_the_device_does() {
    let folder = testkit::folder();
    let path = folder.file("page");
    complains(tampered(&["msync:error=EIO"], &path, &[]), &["msync", "EIO", "may be gone"]);
    let new = folder.file("new");
    complains(tampered(&["fsync:error=EIO"], &new, &[]), &["fsync", "the folder of", "EIO"]);
}

/// Whose name was made a moment ago, and never synced.
pub fn write_syncs_the_name_of_a_file_that_was_there_before() {
    let folder = testkit::folder();
    let path = folder.file("page");
    assert_eq!(json(write("text", &path, &["--async", "--json"]))["name_synced"], false);
    complains(tampered(&["fsync:error=EIO"], &path, &[]), &["fsync", "the folder of", "EIO"]);
    let found = json(write("text", &path, &["--json"]));
    assert_eq!((&found["created"], &found["name_synced"]), (&false.into(), &true.into()));
    let said = write("text", &path, &[]).ok();
    assert!(unwrapped(&said).contains("Its folder was synced as well (fsync)"), "{said}");
}

/// A folder in which one may look nothing up by reading it, but write a file whose name one knows.
pub fn write_says_so_where_the_name_is_out_of_reach() {
    let folder = testkit::folder();
    let closed = folder.file("closed");
    fs::create_dir(&closed).unwrap();
    let path = closed.join("page");
    write("before", &path, &[]).ok();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o300)).unwrap();
    let said = write("text", &path, &[]).ok();
    assert!(unwrapped(&said).contains("Whether its name survives as well is unknown"), "{said}");
    assert_eq!(json(write("text", &path, &["--json"]))["name_synced"], false);
    complains(write("new", &closed.join("new"), &[]), &["EACCES", "the folder has to be readable"]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
}

/// The file is removed while msync is at it: strace makes that last. On a machine that has no time
/// for us the writer may be through before, and then it is done again.
pub fn write_notices_that_the_file_has_gone() {
    let folder = testkit::folder();
    let path = folder.file("page");
    let mut rounds = testkit::rounds(1, 1);
    let mut noticed = false;
    while rounds.next(noticed).is_some() {
        write("before", &path, &[]).ok();
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=msync"]);
        strace.args(["-e", "inject=msync:delay_enter=2000000"]);
        strace.arg(env!("CARGO_BIN_EXE_page-sync")).args(["write", "lost"]).arg(&path);
        let writer = Program::start(&mut strace);
        // As soon as it has stored.
        while !fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"lost")) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        fs::remove_file(&path).unwrap();
        let finished = writer.finish();
        if finished.code() != Some(0) {
            complains(finished, &["ESTALE", "was removed", "write it again"]);
            noticed = true;
        }
    }
    assert!(noticed, "the writer was always faster");
}

pub fn write_refuses_bad_files_and_leaves_them_alone() {
    let folder = testkit::folder();
    complains(write("x", folder.path(), &[]), &["EISDIR"]);
    complains(write("x", &folder.file("no/page"), &[]), &["ENOENT"]);
    complains(write("x", &folder.file("page/"), &[]), &["E"]);
    for more in [&[][..], &["--adopt"]] {
        complains(
            write("x", Path::new("/proc/self/comm"), more),
            &["ENODEV", "makes this file up"],
        );
        complains(write("x", Path::new("/dev/null"), more), &["ENODEV", "a device"]);
    }
    nix::unistd::mkfifo(&folder.file("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    complains(write("x", &folder.file("fifo"), &[]), &["ENODEV", "FIFO"]);
    fs::remove_file(folder.file("fifo")).unwrap();
    symlink("elsewhere", folder.file("link")).unwrap();
    complains(write("x", &folder.file("link"), &[]), &["ELOOP", "symbolic link"]);
    fs::remove_file(folder.file("link")).unwrap();
    let long = "x".repeat(page());
    complains(write(&long, &folder.file("page"), &[]), &["EMSGSIZE", "a NUL"]);
    assert_eq!(names(folder.path()), Vec::<String>::new(), "nothing was made");
    write("kept", &folder.file("page"), &[]).ok();
    complains(write(&long, &folder.file("page"), &[]), &["EMSGSIZE"]);
    assert!(fs::read(folder.file("page")).unwrap().starts_with(b"kept\0"));
}

pub fn write_refuses_a_read_only_file() {
    let folder = testkit::folder();
    let path = folder.file("page");
    write("kept", &path, &[]).ok();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    complains(write("x", &path, &[]), &["EACCES"]);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    complains(write("x", &folder.file("new"), &[]), &["EACCES"]);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(fs::read(&path).unwrap().starts_with(b"kept\0"));
}

pub fn write_refuses_a_full_disk_and_leaves_nothing() {
    let disk = small_tmpfs(2 * page());
    fs::write(disk.path().join("filler"), vec![1; 2 * page()]).unwrap();
    complains(
        write("x", &disk.path().join("page"), &[]),
        &["posix_fallocate", "ENOSPC", "no room"],
    );
    assert_eq!(names(disk.path()), ["filler"]);
}
