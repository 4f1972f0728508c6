//! What is refused, and stays as it was.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use ipc_common::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::stat::Mode;
use nix::sys::statvfs::statvfs;
use page_sync::file::PageFile;
use page_sync::sync::Msync;
use testkit::{enter_namespaces, small_tmpfs};

use crate::common::{file_of, names, page};

pub fn errno<T>(result: ipc_common::Result<T>) -> Errno {
    result.err().expect("an error").errno()
}

pub fn a_name_that_is_taken_is_left_alone_whatever_it_leads_to() {
    let folder = testkit::folder();
    fs::write(folder.file("file"), "mine").unwrap();
    symlink(folder.file("elsewhere"), folder.file("dangling")).unwrap();
    symlink(folder.file("file"), folder.file("link")).unwrap();
    for taken in ["file", "dangling", "link"] {
        assert_eq!(errno(PageFile::create_new(folder.file(taken), 1)), Errno::EEXIST, "{taken}");
    }
    for link in ["dangling", "link"] {
        assert_eq!(errno(PageFile::open(folder.file(link))), Errno::ELOOP);
        assert_eq!(errno(PageFile::adopt(folder.file(link))), Errno::ELOOP);
    }
    assert!(!folder.file("elsewhere").exists());
    assert_eq!(fs::read(folder.file("file")).unwrap(), b"mine");
    assert_eq!(errno(PageFile::open(folder.path())), Errno::EISDIR);
    assert_eq!(errno(PageFile::create_new(folder.file("no/file"), 1)), Errno::ENOENT);
    nix::unistd::mkfifo(&folder.file("fifo"), Mode::S_IRWXU).unwrap();
    assert_eq!(errno(PageFile::open(folder.file("fifo"))), Errno::ENODEV);
}

/// Files of /proc and /sys look regular. A name for our own process is a writable one.
pub fn what_cannot_be_mapped_stays_as_it_was() {
    let comm = Path::new("/proc/self/comm");
    let before = fs::read(comm).unwrap();
    for result in [PageFile::adopt(comm), PageFile::open(comm), PageFile::open_to_read(comm)] {
        let error = result.unwrap_err();
        assert_eq!(error.errno(), Errno::ENODEV);
        assert!(error.remedy().contains("makes this file up"), "{error}");
    }
    assert_eq!(fs::read(comm).unwrap(), before, "nothing was written to it");
    // A file of /sys says that it has a page, whatever it holds.
    let sys = Path::new("/sys/kernel/mm/transparent_hugepage/enabled");
    if sys.exists() {
        assert_eq!(errno(PageFile::open_to_read(sys)), Errno::ENODEV);
    }
}

pub fn a_read_only_file_is_looked_at_and_synced() {
    let (folder, file) = file_of(2);
    let path = folder.file("file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let reader = PageFile::open_to_read(&path).unwrap();
    assert!(!reader.is_writable());
    assert_eq!(errno(reader.write_view()), Errno::EACCES);
    file.page_mut(1).unwrap().fill(0, page(), 77).unwrap();
    assert_eq!(reader.page(1).unwrap().read_vec(0, 1).unwrap(), [77]);
    assert_eq!(reader.sync(.., Msync::SYNC).unwrap(), 0..2);
    reader.fsync().unwrap();
    reader.fdatasync().unwrap();
    reader.write_out(..).unwrap();
}

pub fn a_read_only_file_is_refused_for_writing() {
    let (folder, _file) = file_of(1);
    let path = folder.file("file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert_eq!(errno(PageFile::open(&path)), Errno::EACCES);
    assert_eq!(errno(PageFile::adopt(&path)), Errno::EACCES);
}

pub fn a_read_only_mount_is_refused_by_name() {
    enter_namespaces();
    let (folder, _file) = file_of(1);
    let none = None::<&str>;
    mount(Some(folder.path()), folder.path(), none, MsFlags::MS_BIND, none).unwrap();
    // What the mount below forbids has to stay forbidden, or a user namespace may not change it.
    let kept = MsFlags::from_bits_truncate(statvfs(folder.path()).unwrap().flags().bits());
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | kept;
    mount(none, folder.path(), none, read_only, none).unwrap();

    let path = folder.file("file");
    for result in
        [PageFile::open(&path), PageFile::adopt(&path), PageFile::create_new(folder.file("new"), 1)]
    {
        let error = result.unwrap_err();
        assert_eq!(error.errno(), Errno::EROFS);
        assert!(error.remedy().contains("read-only"), "{error}");
    }
    assert_eq!(PageFile::open_to_read(&path).unwrap().sync(.., Msync::SYNC).unwrap(), 0..1);
    nix::mount::umount2(folder.path(), nix::mount::MntFlags::MNT_DETACH).unwrap();
}

pub fn a_full_disk_is_an_error_and_not_sigbus() {
    let disk = small_tmpfs(4 * page());
    let path = disk.path().join("new");
    assert_eq!(errno(PageFile::create_new(&path, 5)), Errno::ENOSPC);
    assert_eq!(names(disk.path()), Vec::<String>::new());
    let file = PageFile::create_new(&path, 4).unwrap();
    file.write_view().unwrap().fill(0, 4 * page(), 1).unwrap();
    // One byte more would be a page more.
    fs::remove_file(&path).unwrap();
    drop(file);
    fs::write(&path, vec![1; 3 * page()]).unwrap();
    fs::write(disk.path().join("short"), b"x").unwrap();
    let short = PageFile::adopt(disk.path().join("short")).expect("the page is its own already");
    assert_eq!(short.pages().count(), 1);
}

pub fn a_hole_on_a_full_disk_is_found_when_the_file_is_opened() {
    let disk = small_tmpfs(4 * page());
    let (sparse, filler) = (disk.path().join("sparse"), disk.path().join("filler"));
    File::create(&sparse).unwrap().set_len(3 * page() as u64).unwrap();
    fs::write(&filler, vec![1; 2 * page()]).unwrap();
    assert_eq!(errno(PageFile::open(&sparse)), Errno::ENOSPC);
    assert_eq!(errno(PageFile::adopt(&sparse)), Errno::ENOSPC);
    assert_eq!(fs::metadata(&sparse).unwrap().len() as usize, 3 * page(), "and it is as it was");
    fs::remove_file(&filler).unwrap();
    let file = PageFile::open(&sparse).unwrap();
    file.write_view().unwrap().fill(0, 3 * page(), 1).unwrap();
}
