//! What the new file takes over from the old.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use ipc_common::Errno;
use nix::sys::stat::Mode;
use page_sync::durable::replace;
use testkit::Program;

use crate::common::names;
use crate::tools::{fine, refused};

pub fn acl_tools() -> Result<(), String> {
    let found = Command::new("setfacl").arg("--version").output();
    found.map(drop).map_err(|error| format!("setfacl: {error} (Debian package acl)"))
}

pub fn the_mode_is_kept_whatever_it_is() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, "old").unwrap();
    for mode in [0o600, 0o644, 0o444, 0o200, 0o000, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let _ = fine(replace(&path, 0o777, b"new"));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
    }
}

pub const COMMENT: &std::ffi::CStr = c"user.comment";

/// A file with an attribute of its user's.
pub fn commented(path: &Path) {
    let file = File::create(path).unwrap();
    let (fd, value) = (file.as_raw_fd(), c"kept");
    // SAFETY: C strings and a length that fits.
    let set = unsafe { libc::fsetxattr(fd, COMMENT.as_ptr(), value.as_ptr().cast(), 4, 0) };
    assert_eq!(set, 0, "the case needs user_attributes");
}

pub fn user_attributes() -> Result<(), String> {
    let path = std::env::temp_dir().join(format!("page-sync-xattr-{}", std::process::id()));
    let works = std::panic::catch_unwind(|| commented(&path)).is_ok();
    let _ = fs::remove_file(&path);
    if works { Ok(()) } else { Err("this file system keeps no attributes for users".into()) }
}

pub fn attributes_are_kept() {
    let folder = testkit::folder();
    let path = folder.file("file");
    commented(&path);
    let _ = fine(replace(&path, 0o600, b"new"));
    let mut value = [0u8; 16];
    let file = File::open(&path).unwrap();
    // SAFETY: the kernel writes 16 bytes at most.
    let len = unsafe {
        libc::fgetxattr(file.as_raw_fd(), COMMENT.as_ptr(), value.as_mut_ptr().cast(), 16)
    };
    assert_eq!(&value[..len.unsigned_abs()], b"kept");
}

/// Better refused than dropped without a word.
pub fn attributes_that_cannot_be_copied_are_not_dropped() {
    let folder = testkit::folder();
    let path = folder.file("file");
    commented(&path);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o200)).unwrap();
    let not = refused(replace(&path, 0o600, b"new"), Errno::EACCES);
    assert!(not.to_string().contains("chmod u+r"), "{not}");
    assert_eq!(names(folder.path()), ["file"]);
}

pub fn set_user_id_is_not_kept() {
    let folder = testkit::folder();
    let path = folder.file("program");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o6755)).unwrap();
    let _ = fine(replace(&path, 0o600, b"new"));
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o755);
}

pub fn acl(path: &Path, arguments: &[&str]) -> String {
    Program::run(Command::new(arguments[0]).args(&arguments[1..]).arg(path)).ok()
}

pub fn an_access_control_list_is_kept_and_none_is_invented() {
    let folder = testkit::folder();
    let (listed, plain) = (folder.file("listed"), folder.file("plain"));
    fs::write(&listed, "old").unwrap();
    fs::write(&plain, "old").unwrap();
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o640)).unwrap();
    acl(&listed, &["setfacl", "-m", "u:1:rw,g::-"]);
    // New files of the folder would be open to user 2.
    acl(folder.path(), &["setfacl", "-d", "-m", "u:2:rw"]);
    let get =
        |path: &Path| acl(path, &["getfacl", "--absolute-names", "--numeric", "--omit-header"]);
    for path in [&listed, &plain] {
        let before = get(path);
        let _ = fine(replace(path, 0o600, b"new"));
        assert_eq!(get(path), before);
    }
    assert!(get(&listed).contains("user:1:rw-") && get(&listed).contains("group::---"));
    assert!(!get(&plain).contains("user:2"), "{}", get(&plain));
}

pub fn a_new_file_gets_its_mode_by_the_umask() {
    let folder = testkit::folder();
    nix::sys::stat::umask(Mode::from_bits_truncate(0o027));
    let replaced = fine(replace(folder.file("new"), 0o666, b"content"));
    assert!(replaced.created);
    assert_eq!(fs::metadata(folder.file("new")).unwrap().mode() & 0o7777, 0o640);
}

pub fn the_owner_is_kept() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, "old").unwrap();
    chown(&path, Some(65534), Some(65534)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let _ = fine(replace(&path, 0o600, b"new"));
    let found = fs::metadata(&path).unwrap();
    assert_eq!((found.uid(), found.gid(), found.mode() & 0o7777), (65534, 65534, 0o640));
}
