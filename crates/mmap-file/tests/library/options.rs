//! What can be asked of a mapping, and what the kernel lists then.

use super::*;

pub fn any_offset_is_aligned_for_the_user() {
    let (_folder, file) = file_of(3 * page());
    for offset in [0, 1, page() - 1, page(), page() + 7, 3 * page() - 1] {
        for options in
            [MapOptions::new(), MapOptions::new().private(), MapOptions::new().read_write()]
        {
            let mapping = options.offset(offset as u64).map(&file).unwrap();
            assert_eq!(mapping.len(), 3 * page() - offset);
            let mut first = [0; 1];
            mapping.view().unwrap().read(0, &mut first).unwrap();
            assert_eq!(usize::from(first[0]), offset % 251, "offset {offset}");
        }
    }
}

pub fn nothing_and_past_the_end_are_refused_unless_asked_for_by_name() {
    let (folder, file) = file_of(100);
    let errno = |options: MapOptions| options.map(&file).unwrap_err().errno();
    assert_eq!(errno(MapOptions::new().len(0)), Errno::EINVAL);
    assert_eq!(errno(MapOptions::new().len(101)), Errno::ERANGE);
    assert_eq!(errno(MapOptions::new().offset(100)), Errno::ERANGE);
    assert_eq!(errno(MapOptions::new().offset(u64::MAX)), Errno::ERANGE);
    assert_eq!(errno(MapOptions::new().offset(u64::MAX).len(2)), Errno::EOVERFLOW);
    assert_eq!(errno(MapOptions::new().len(usize::MAX)), Errno::EOVERFLOW);
    // The rest of the last page can be touched, and is not in the file.
    let beyond = MapOptions::new().len(page()).allow_past_end().read_write().map(&file).unwrap();
    beyond.write_view().unwrap().write(page() - 1, b"x").unwrap();
    assert_eq!(file.metadata().unwrap().len(), 100);
    fs::write(folder.file("empty"), "").unwrap();
    let empty = MapOptions::new().map(File::open(folder.file("empty")).unwrap()).unwrap_err();
    assert_eq!(empty.errno(), Errno::EINVAL);
    assert!(empty.remedy().contains("empty"), "{empty}");
}

pub fn protection_and_sharing_are_what_the_kernel_lists() {
    let (_folder, file) = file_of(page());
    for protection in
        [Protection::None, Protection::Read, Protection::ReadWrite, Protection::ReadExec]
    {
        for (sharing, options) in
            [(Sharing::Shared, MapOptions::new()), (Sharing::Private, MapOptions::new().private())]
        {
            let mut mapping = options.protection(protection).map(&file).unwrap();
            let listed = maps::listing_of(&mapping).unwrap();
            assert_eq!((listed.protection(), listed.sharing), (protection.to_string(), sharing));
            mapping.protect(Protection::Read).unwrap();
            assert_eq!(maps::listing_of(&mapping).unwrap().protection(), "read");
            mapping.protect(protection).unwrap();
            assert_eq!(maps::listing_of(&mapping).unwrap().protection(), protection.to_string());
        }
    }
}

pub fn what_the_protection_forbids_is_an_error_and_not_a_signal() {
    let (_folder, file) = file_of(page());
    let mut mapping = MapOptions::new().read_write().map(&file).unwrap();
    mapping.write_view().unwrap().write(0, b"x").unwrap();
    mapping.protect(Protection::Read).unwrap();
    assert_eq!(mapping.write_view().unwrap_err().errno(), Errno::EACCES);
    mapping.protect(Protection::None).unwrap();
    assert_eq!(mapping.view().unwrap_err().errno(), Errno::EACCES);
    assert_eq!(
        MapOptions::new().map(&file).unwrap().write_view().unwrap_err().errno(),
        Errno::EACCES
    );
}

pub fn a_private_change_is_never_seen_by_the_file() {
    let (folder, _) = file_of(page());
    let file = File::open(folder.file("file")).unwrap();
    let before = fs::read(folder.file("file")).unwrap();
    let mapping = MapOptions::new().private().read_write().map(&file).unwrap();
    mapping.write_view().unwrap().fill(0, page(), 0xee).unwrap();
    mapping.flush(0..page()).unwrap();
    assert_eq!(maps::figure(&mapping, "Private_Dirty").unwrap(), Some(page() as u64));
    mapping.unmap().unwrap();
    assert_eq!(fs::read(folder.file("file")).unwrap(), before);
}

pub fn shared_writing_needs_a_file_open_for_writing() {
    let (folder, _) = file_of(page());
    let file = File::open(folder.file("file")).unwrap();
    assert_eq!(MapOptions::new().read_write().map(&file).unwrap_err().errno(), Errno::EACCES);
    let mut mapping = MapOptions::new().map(&file).unwrap();
    assert_eq!(mapping.protect(Protection::ReadWrite).unwrap_err().errno(), Errno::EACCES);
    assert_eq!(mapping.protection(), Protection::Read, "what failed has changed nothing");
    let write_only = fs::OpenOptions::new().write(true).open(folder.file("file")).unwrap();
    assert_eq!(MapOptions::new().map(&write_only).unwrap_err().errno(), Errno::EACCES);
}

pub fn a_taken_address_is_refused_and_a_free_one_is_used() {
    let (_folder, file) = file_of(page());
    let first = MapOptions::new().map(&file).unwrap();
    let address = NonZeroUsize::new(first.address()).unwrap();
    assert_eq!(MapOptions::new().at(address).map(&file).unwrap_err().errno(), Errno::EEXIST);
    assert_eq!(first.view().unwrap().read_vec(0, 3).unwrap(), [0, 1, 2]);
    first.unmap().unwrap();
    let second = MapOptions::new().at(address).offset(5).map(&file).unwrap();
    assert_eq!(second.address(), address.get() + 5, "the page that holds the offset is there");
    let odd = NonZeroUsize::new(address.get() + 1).unwrap();
    assert_eq!(MapOptions::new().at(odd).map(&file).unwrap_err().errno(), Errno::EINVAL);
}

pub fn replacing_by_name_replaces() {
    let (_folder, file) = file_of(2 * page());
    let old = MapOptions::new().len(page()).map(&file).unwrap();
    let address = NonZeroUsize::new(old.address()).unwrap();
    // The old owner must not unmap what takes its place, nor answer for it.
    assert_eq!(old.leave_mapped(), address);
    let options = MapOptions::new().offset(page() as u64);
    // SAFETY: the page is that of `old`, which has given it up, and no view of it is left.
    let new = unsafe { options.map_replacing(&file, address) }.unwrap();
    assert_eq!(new.address(), address.get());
    assert_eq!(new.view().unwrap().read_vec(0, 1).unwrap(), [(page() % 251) as u8]);
}
