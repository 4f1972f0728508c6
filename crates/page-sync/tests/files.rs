//! Files of whole pages: created, opened, adopted; and what stays as it was when that fails.

mod common;

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use common::{file_of, names, page};
use ipc_common::Errno;
use mmap_file::Found;
use mmap_file::note::Whereabouts;
use nix::mount::{MsFlags, mount};
use nix::sys::stat::Mode;
use nix::sys::statvfs::statvfs;
use page_sync::file::PageFile;
use page_sync::sync::Msync;
use testkit::{enter_namespaces, need, small_tmpfs};

testkit::cases! {
    a_new_file_has_exactly_so_many_pages_and_room_for_all;
    the_lectures_way_makes_a_hole_and_a_byte_too_many;
    a_name_that_is_taken_is_left_alone_whatever_it_leads_to;
    opening_wants_whole_pages_and_says_what_would_do;
    adopting_makes_longer_and_never_cuts;
    open_or_create_wants_the_length_that_it_would_have_made;
    what_cannot_be_mapped_stays_as_it_was;
    a_read_only_file_is_looked_at_and_synced;
    a_read_only_file_is_refused_for_writing needs need::ordinary_user;
    a_read_only_mount_is_refused_by_name needs need::namespaces;
    a_full_disk_is_an_error_and_not_sigbus needs need::namespaces;
    a_hole_on_a_full_disk_is_found_when_the_file_is_opened needs need::namespaces;
    a_file_that_moves_is_still_the_file;
    reopened_it_is_the_same_file_even_without_a_name;
    a_page_is_its_bytes_and_no_others;
}

fn errno<T>(result: ipc_common::Result<T>) -> Errno {
    result.err().expect("an error").errno()
}

fn a_new_file_has_exactly_so_many_pages_and_room_for_all() {
    let folder = testkit::folder();
    let path = folder.file("new");
    let file = PageFile::create_new(&path, 5).unwrap();
    let found = fs::metadata(&path).unwrap();
    assert_eq!(found.len() as usize, 5 * page());
    assert!(found.blocks() as usize * 512 >= 5 * page(), "no hole: {} blocks", found.blocks());
    assert_eq!(found.mode() & 0o7777, 0o600);
    assert_eq!((file.pages().count(), file.pages().bytes()), (5, 5 * page()));
    assert!(file.address().is_multiple_of(page()) && file.is_writable());
    assert_eq!(errno(PageFile::create_new(folder.file("none"), 0)), Errno::EINVAL);
    assert_eq!(errno(PageFile::create_new(folder.file("all"), usize::MAX)), Errno::EFBIG);
    assert_eq!(names(folder.path()), ["new"], "what failed has left nothing");
}

fn the_lectures_way_makes_a_hole_and_a_byte_too_many() {
    let folder = testkit::folder();
    let path = folder.file("mmsyncTest");
    let mut file = File::create_new(&path).unwrap();
    file.seek(SeekFrom::Start(page() as u64)).unwrap();
    file.write_all(b"x").unwrap();
    let found = file.metadata().unwrap();
    assert_eq!(found.len() as usize, page() + 1);
    assert_eq!(errno(PageFile::open(&path)), Errno::EINVAL);
    let adopted = PageFile::adopt(&path).unwrap();
    assert_eq!(adopted.pages().count(), 2);
    assert_eq!(adopted.page(1).unwrap().read_vec(0, 2).unwrap(), b"x\0");
}

fn a_name_that_is_taken_is_left_alone_whatever_it_leads_to() {
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

fn opening_wants_whole_pages_and_says_what_would_do() {
    let folder = testkit::folder();
    let path = folder.file("file");
    for (len, hint) in [(0, "empty"), (1, "1 of them"), (page() + 1, "2 of them")] {
        fs::write(&path, vec![1; len]).unwrap();
        let error = PageFile::open(&path).unwrap_err();
        assert_eq!(error.errno(), Errno::EINVAL);
        assert!(error.remedy().contains(hint) && error.remedy().contains("adopt"), "{error}");
        assert_eq!(errno(PageFile::open_to_read(&path)), Errno::EINVAL);
        assert_eq!(fs::read(&path).unwrap(), vec![1; len], "unchanged");
    }
    fs::write(&path, vec![7; 2 * page()]).unwrap();
    assert_eq!(PageFile::open(&path).unwrap().pages().count(), 2);
}

fn adopting_makes_longer_and_never_cuts() {
    let folder = testkit::folder();
    let path = folder.file("file");
    for (len, pages) in [(0, 1), (1, 1), (page(), 1), (page() + 1, 2), (3 * page() - 1, 3)] {
        fs::write(&path, vec![9; len]).unwrap();
        let file = PageFile::adopt(&path).unwrap();
        assert_eq!(file.pages().count(), pages, "{len} bytes");
        let mut expected = vec![9; len];
        expected.resize(pages * page(), 0);
        assert_eq!(fs::read(&path).unwrap(), expected);
    }
}

fn open_or_create_wants_the_length_that_it_would_have_made() {
    let folder = testkit::folder();
    let path = folder.file("file");
    assert_eq!(PageFile::open_or_create(&path, 2).unwrap().1, Found::Created);
    assert_eq!(PageFile::open_or_create(&path, 2).unwrap().1, Found::Existing);
    for other in [1, 3] {
        let error = PageFile::open_or_create(&path, other).unwrap_err();
        assert_eq!(error.errno(), Errno::EINVAL);
        assert!(error.remedy().contains("2 pages"), "{error}");
    }
    assert_eq!(fs::metadata(&path).unwrap().len() as usize, 2 * page());
}

/// Files of /proc and /sys look regular. A name for our own process is a writable one.
fn what_cannot_be_mapped_stays_as_it_was() {
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

fn a_read_only_file_is_looked_at_and_synced() {
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

fn a_read_only_file_is_refused_for_writing() {
    let (folder, _file) = file_of(1);
    let path = folder.file("file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert_eq!(errno(PageFile::open(&path)), Errno::EACCES);
    assert_eq!(errno(PageFile::adopt(&path)), Errno::EACCES);
}

fn a_read_only_mount_is_refused_by_name() {
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

fn a_full_disk_is_an_error_and_not_sigbus() {
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

fn a_hole_on_a_full_disk_is_found_when_the_file_is_opened() {
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

fn a_file_that_moves_is_still_the_file() {
    let (folder, file) = file_of(1);
    assert_eq!(file.whereabouts().unwrap(), Whereabouts::Here);
    std::env::set_current_dir("/").unwrap();
    assert_eq!(file.whereabouts().unwrap(), Whereabouts::Here);
    fs::rename(folder.file("file"), folder.file("moved")).unwrap();
    assert_eq!(file.whereabouts().unwrap(), Whereabouts::Removed);
    fs::write(folder.file("file"), "another").unwrap();
    assert_eq!(file.whereabouts().unwrap(), Whereabouts::Replaced);
    file.page_mut(0).unwrap().write(0, b"still ours").unwrap();
    file.sync(.., Msync::SYNC).unwrap();
    assert!(fs::read(folder.file("moved")).unwrap().starts_with(b"still ours"));
    let error = page_sync::durable::persist(&file).unwrap_err();
    assert_eq!(error.errno(), Errno::ESTALE);
    fs::remove_file(folder.file("file")).unwrap();
    let error = page_sync::durable::persist(&file).unwrap_err();
    assert_eq!(error.errno(), Errno::ENOENT);
}

fn reopened_it_is_the_same_file_even_without_a_name() {
    let (folder, file) = file_of(2);
    fs::remove_file(folder.file("file")).unwrap();
    file.page_mut(1).unwrap().write(0, b"seen").unwrap();
    let other = file.reopen().unwrap();
    let mut bytes = [0; 4];
    other.read_exact_at(&mut bytes, page() as u64).unwrap();
    assert_eq!(&bytes, b"seen");
    assert_eq!(file.sync(page().., Msync::SYNC).unwrap(), 1..2, "a file without a name is synced");
}

fn a_page_is_its_bytes_and_no_others() {
    let (_folder, file) = file_of(3);
    assert_eq!(file.page(3).unwrap_err().errno(), Errno::ERANGE);
    let middle = file.page_mut(1).unwrap();
    assert_eq!(middle.len(), page());
    assert!(middle.write(page(), b"x").is_err());
    middle.fill(0, page(), 0xaa).unwrap();
    for (number, byte) in [(0, 0), (1, 0xaa), (2, 2)] {
        assert_eq!(file.page(number).unwrap().read_vec(0, page()).unwrap(), vec![byte; page()]);
    }
}
