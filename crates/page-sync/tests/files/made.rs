//! What is made, opened and adopted.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};

use ipc_common::Errno;
use mmap_file::Found;
use mmap_file::note::Whereabouts;
use page_sync::file::PageFile;
use page_sync::sync::Msync;

use crate::common::{file_of, names, page};
use crate::refused::errno;

pub fn a_new_file_has_exactly_so_many_pages_and_room_for_all() {
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

pub fn the_lectures_way_makes_a_hole_and_a_byte_too_many() {
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

pub fn opening_wants_whole_pages_and_says_what_would_do() {
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

pub fn adopting_makes_longer_and_never_cuts() {
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

pub fn open_or_create_wants_the_length_that_it_would_have_made() {
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

pub fn a_file_that_moves_is_still_the_file() {
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

pub fn reopened_it_is_the_same_file_even_without_a_name() {
    let (folder, file) = file_of(2);
    fs::remove_file(folder.file("file")).unwrap();
    file.page_mut(1).unwrap().write(0, b"seen").unwrap();
    let other = file.reopen().unwrap();
    let mut bytes = [0; 4];
    other.read_exact_at(&mut bytes, page() as u64).unwrap();
    assert_eq!(&bytes, b"seen");
    assert_eq!(file.sync(page().., Msync::SYNC).unwrap(), 1..2, "a file without a name is synced");
}

pub fn a_page_is_its_bytes_and_no_others() {
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
