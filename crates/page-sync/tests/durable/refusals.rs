//! What is refused, and stays as it was.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use ipc_common::{Errno, Error};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::Mode;
use page_sync::durable::{Content, Replaced, replace, replace_with};
use testkit::{enter_namespaces, small_tmpfs};

use crate::common::{names, page};
use crate::tools::{fine, refused};

/// As an ordinary user who may write the folder, and so could replace the file.
pub fn another_users_file_is_refused_and_stays() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, "root's").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // This case is a process of its own, and its folder can be removed by whoever owns it.
    chown(folder.path(), Some(65534), Some(65534)).unwrap();
    nix::unistd::setegid(65534.into()).unwrap();
    nix::unistd::seteuid(65534.into()).unwrap();
    let not = refused(replace(&path, 0o600, b"mine"), Errno::EPERM);
    assert!(not.to_string().contains("user 0"), "{not}");
    assert_eq!(names(folder.path()), ["file"]);
    nix::unistd::seteuid(0.into()).unwrap();
    nix::unistd::setegid(0.into()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"root's");
}

pub fn links_are_not_followed() {
    let folder = testkit::folder();
    fs::write(folder.file("target"), "old").unwrap();
    symlink("target", folder.file("link")).unwrap();
    symlink("nowhere", folder.file("dangling")).unwrap();
    for link in ["link", "dangling"] {
        let not = refused(replace(folder.file(link), 0o600, b"new"), Errno::ELOOP);
        assert!(not.to_string().contains("symbolic link to"), "{not}");
    }
    assert_eq!(fs::read(folder.file("target")).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["dangling", "link", "target"]);
}

pub fn other_names_and_open_files_keep_the_old_content() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, vec![1; page()]).unwrap();
    fs::hard_link(&path, folder.file("other")).unwrap();
    let mapped = page_sync::file::PageFile::open(&path).unwrap();
    let replaced = fine(replace(&path, 0o600, b"new"));
    assert_eq!(replaced, Replaced { created: false, other_names: 1 });
    assert_eq!(fs::read(folder.file("other")).unwrap(), vec![1; page()]);
    assert_eq!(mapped.page(0).unwrap().read_vec(0, 1).unwrap(), [1]);
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

pub fn what_is_no_file_is_refused() {
    let folder = testkit::folder();
    nix::unistd::mkfifo(&folder.file("fifo"), Mode::S_IRWXU).unwrap();
    fs::create_dir(folder.file("sub")).unwrap();
    refused(replace(folder.file("fifo"), 0o600, b"new"), Errno::ENODEV);
    refused(replace(folder.file("sub"), 0o600, b"new"), Errno::EISDIR);
    refused(replace(folder.file("sub/"), 0o600, b"new"), Errno::EISDIR);
    refused(replace(folder.file("none/file"), 0o600, b"new"), Errno::ENOENT);
    refused(replace("", 0o600, b"new"), Errno::ENOENT);
    let not = replace("/proc/self/new", 0o600, b"new").unwrap_err();
    assert_eq!(not.content(), Content::Old, "{not}");
    assert_eq!(names(folder.path()), ["fifo", "sub"]);
}

pub fn a_mount_point_is_refused_and_stays() {
    enter_namespaces();
    let folder = testkit::folder();
    let (path, below) = (folder.file("file"), folder.file("below"));
    fs::write(&path, "covered").unwrap();
    fs::write(&below, "on top").unwrap();
    mount(Some(&below), &path, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    let not = replace(&path, 0o600, b"new").unwrap_err();
    assert_eq!((not.error().errno(), not.content()), (Errno::EBUSY, Content::Old), "{not}");
    assert_eq!(fs::read(&path).unwrap(), b"on top");
    assert_eq!(names(folder.path()), ["below", "file"]);
    umount2(&path, MntFlags::MNT_DETACH).unwrap();
}

pub fn a_full_disk_leaves_the_old_content() {
    let disk = small_tmpfs(4 * page());
    let path = disk.path().join("file");
    fs::write(&path, vec![1; 2 * page()]).unwrap();
    refused(replace(&path, 0o600, &vec![2; 3 * page()]), Errno::ENOSPC);
    assert_eq!(fs::read(&path).unwrap(), vec![1; 2 * page()]);
    assert_eq!(names(disk.path()), ["file"]);
    let _ = fine(replace(&path, 0o600, &vec![2; page()]));
}

pub fn a_source_that_fails_leaves_the_old_content() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, "old").unwrap();
    let gone = |mut file: &File| {
        file.write_all(b"half").unwrap();
        Err(Error::new("read", Errno::EIO, "the source"))
    };
    refused(replace_with(&path, 0o600, gone), Errno::EIO);
    let panicked =
        std::panic::catch_unwind(|| replace_with(&path, 0o600, |_| panic!("the source")));
    assert!(panicked.is_err());
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["file"]);
}

pub fn a_long_name_is_replaced_too() {
    let folder = testkit::folder();
    let path = folder.file(&"x".repeat(255));
    assert!(fine(replace(&path, 0o600, b"one")).created);
    assert!(!fine(replace(&path, 0o600, b"two")).created);
    assert_eq!(fs::read(&path).unwrap(), b"two");
    refused(replace(folder.file(&"x".repeat(256)), 0o600, b"no"), Errno::ENAMETOOLONG);
}

pub fn an_error_that_is_passed_on_says_what_is_in_place() {
    fn passed_on(path: &Path) -> ipc_common::Result<()> {
        let _ = replace(path, 0o600, b"new")?;
        Ok(())
    }
    let folder = testkit::folder();
    let line = passed_on(folder.path()).unwrap_err().to_string();
    assert!(line.contains("EISDIR: this is a folder"), "{line}");
    assert!(line.ends_with("the old content is in place"), "{line}");
    assert_eq!(line.matches("EISDIR").count(), 1, "{line}");
}
