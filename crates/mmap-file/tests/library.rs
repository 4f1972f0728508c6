//! Mapping, protecting, advising, resizing, creating, locking: against the kernel's own account.

mod common;

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};

use common::{Child, SECOND};
use ipc_common::{Errno, PageSize};
use mmap_file::{
    Access, Advice, Anonymous, Found, MapOptions, MappedFile, Protection, Sharing, create_new,
    integer, lock, maps, open_file, open_or_create,
};
use nix::sys::stat::Mode;
use testkit::Folder;

testkit::cases! {
    any_offset_is_aligned_for_the_user;
    nothing_and_past_the_end_are_refused_unless_asked_for_by_name;
    protection_and_sharing_are_what_the_kernel_lists;
    what_the_protection_forbids_is_an_error_and_not_a_signal;
    a_private_change_is_never_seen_by_the_file;
    shared_writing_needs_a_file_open_for_writing;
    a_taken_address_is_refused_and_a_free_one_is_used;
    replacing_by_name_replaces;
    advice_never_reaches_a_neighbour_though_memmap2s_would;
    advice_shows_in_the_kernels_flags;
    populate_read_past_the_end_is_an_error_and_not_sigbus;
    unmapping_says_so_and_takes_all_pages;
    growing_allocates_and_shrinking_unmaps_first;
    growing_fills_the_holes_that_were_there;
    anonymous_memory_is_shared_with_a_child;
    the_lock_keeps_others_out_and_ends_with_its_holder;
    a_reader_may_ask_about_the_lock;
    only_regular_files_are_opened;
    links_are_followed_for_reading_only;
    mapping_by_path_opens_for_what_the_mapping_needs;
    of_many_who_create_one_creates_and_all_see_it_complete;
    without_o_excl_care_a_half_made_file_would_be_seen;
    an_integer_is_read_at_any_offset_in_any_order;
    a_strange_name_hides_no_other_file;
}

fn page() -> usize {
    PageSize::system().bytes()
}

/// A file of `len` bytes, open for reading and writing, and its folder.
fn file_of(len: usize) -> (Folder, File) {
    let folder = testkit::folder();
    let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
    fs::write(folder.file("file"), &bytes).unwrap();
    let file = open_file(folder.file("file"), Access::ReadWrite).unwrap();
    (folder, file)
}

fn any_offset_is_aligned_for_the_user() {
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

fn nothing_and_past_the_end_are_refused_unless_asked_for_by_name() {
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

fn protection_and_sharing_are_what_the_kernel_lists() {
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

fn what_the_protection_forbids_is_an_error_and_not_a_signal() {
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

fn a_private_change_is_never_seen_by_the_file() {
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

fn shared_writing_needs_a_file_open_for_writing() {
    let (folder, _) = file_of(page());
    let file = File::open(folder.file("file")).unwrap();
    assert_eq!(MapOptions::new().read_write().map(&file).unwrap_err().errno(), Errno::EACCES);
    let mut mapping = MapOptions::new().map(&file).unwrap();
    assert_eq!(mapping.protect(Protection::ReadWrite).unwrap_err().errno(), Errno::EACCES);
    assert_eq!(mapping.protection(), Protection::Read, "what failed has changed nothing");
    let write_only = fs::OpenOptions::new().write(true).open(folder.file("file")).unwrap();
    assert_eq!(MapOptions::new().map(&write_only).unwrap_err().errno(), Errno::EACCES);
}

fn a_taken_address_is_refused_and_a_free_one_is_used() {
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

fn replacing_by_name_replaces() {
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

/// Three pages side by side, by two owners: advice to the first two asked for the last two.
fn advice_never_reaches_a_neighbour_though_memmap2s_would() {
    let (_folder, file) = file_of(page());
    let three = Anonymous::new(3 * page()).unwrap();
    let start = NonZeroUsize::new(three.view().as_ptr().addr()).unwrap();
    drop(three);
    let (_two, file2) = file_of(2 * page());
    let ours = MapOptions::new().at(start).map(&file2).unwrap();
    let next = start.checked_add(2 * page()).unwrap();
    let neighbour = MapOptions::new().at(next).map(&file).unwrap();
    let touched = || maps::flags(&neighbour).unwrap().contains(&"rr".to_owned());

    let error = ours.advise(page()..3 * page(), Advice::Random).unwrap_err();
    assert_eq!(error.errno(), Errno::ERANGE);
    assert!(!touched(), "ours reached the neighbour");
    ours.unmap().unwrap();

    // The twin: memmap2 in our place. If this fails, memmap2 has mended it; see mapping/range.rs.
    let map = || memmap2::MmapOptions::new().len(2 * page()).map_raw_read_only(&file2).unwrap();
    let mut elsewhere = Vec::new();
    let theirs = loop {
        // The kernel fills holes from above: sooner or later the one before the neighbour.
        match map() {
            theirs if theirs.as_ptr().addr() == start.get() => break theirs,
            other => elsewhere.push(other),
        }
        assert!(elsewhere.len() < 1000, "memmap2's mapping never came next to the neighbour");
    };
    theirs.advise_range(memmap2::Advice::Random, page(), 2 * page()).unwrap();
    assert!(touched(), "memmap2 checks the range now");
}

fn advice_shows_in_the_kernels_flags() {
    let (_folder, file) = file_of(3 * page());
    let mapping = MapOptions::new().advice(Advice::Sequential).map(&file).unwrap();
    let flags = || maps::flags(&mapping).unwrap();
    assert!(flags().contains(&"sr".to_owned()));
    mapping.advise(0..mapping.len(), Advice::Normal).unwrap();
    assert!(!flags().contains(&"sr".to_owned()));
    // A byte of the last page reaches that page, and no other.
    mapping.advise(2 * page() + 5..2 * page() + 6, Advice::Random).unwrap();
    assert!(!flags().contains(&"rr".to_owned()));
}

fn populate_read_past_the_end_is_an_error_and_not_sigbus() {
    let (_folder, file) = file_of(page());
    let mapping = MapOptions::new().len(2 * page()).allow_past_end().map(&file).unwrap();
    mapping.advise(0..page(), Advice::PopulateRead).unwrap();
    let error = mapping.advise(0..2 * page(), Advice::PopulateRead).unwrap_err();
    assert_eq!(error.errno(), Errno::EFAULT);
}

fn unmapping_says_so_and_takes_all_pages() {
    let (_folder, file) = file_of(2 * page());
    for options in [MapOptions::new(), MapOptions::new().private()] {
        for dropped in [false, true] {
            let mapping = options.clone().offset(10).map(&file).unwrap();
            let address = mapping.address() as u64;
            if dropped {
                drop(mapping)
            } else {
                mapping.unmap().unwrap()
            }
            let left = maps::of(std::process::id()).unwrap();
            let touches = |listed: &maps::Listed| {
                listed.start < address + 2 * page() as u64 - 10 && listed.end > address - 10
            };
            assert!(!left.iter().any(touches));
        }
    }
}

fn growing_allocates_and_shrinking_unmaps_first() {
    let folder = testkit::folder();
    let file = create_new(folder.file("new"), 10, 0o600, |_| Ok(())).unwrap();
    let mut mapped = MappedFile::new(file).unwrap();
    mapped.write_view().unwrap().write(0, b"0123456789").unwrap();
    mapped.grow(5 * page() + 1).unwrap();
    let found = mapped.file().metadata().unwrap();
    assert_eq!(found.len() as usize, 5 * page() + 1);
    let blocks = std::os::unix::fs::MetadataExt::blocks(&found) * 512;
    assert!(blocks as usize >= 5 * page(), "{blocks} bytes allocated: it has holes");
    mapped.write_view().unwrap().write(5 * page(), b"x").unwrap();
    assert_eq!(mapped.grow(10).unwrap_err().errno(), Errno::EINVAL);
    assert_eq!(mapped.shrink(6 * page()).unwrap_err().errno(), Errno::EINVAL);
    assert_eq!(mapped.shrink(0).unwrap_err().errno(), Errno::EINVAL);
    mapped.shrink(4).unwrap();
    assert_eq!((mapped.len(), mapped.file().metadata().unwrap().len()), (4, 4));
    assert_eq!(mapped.view().unwrap().read_vec(0, 4).unwrap(), b"0123");
    let listed = maps::listing_of(mapped.mapping()).unwrap();
    assert_eq!((listed.end - listed.start) as usize, page());
}

fn growing_fills_the_holes_that_were_there() {
    let folder = testkit::folder();
    let file = File::options().read(true).write(true).create_new(true).open(folder.file("sparse"));
    let file = file.unwrap();
    file.set_len(8 * page() as u64).unwrap();
    let mut mapped = MappedFile::new(file).unwrap();
    mapped.grow(9 * page()).unwrap();
    let blocks = std::os::unix::fs::MetadataExt::blocks(&mapped.file().metadata().unwrap());
    assert!(blocks as usize * 512 >= 9 * page(), "the holes are still there");
}

fn anonymous_memory_is_shared_with_a_child() {
    let shared = Anonymous::new(page()).unwrap();
    assert_eq!(shared.view().text().unwrap().len(), 0);
    Child::start(|| assert_eq!(shared.view().put_text(b"from the child").unwrap().cut, 0)).join();
    assert_eq!(shared.view().text().unwrap().to_string(), "from the child");
    assert_eq!(Anonymous::new(0).unwrap_err().errno(), Errno::EINVAL);
}

fn the_lock_keeps_others_out_and_ends_with_its_holder() {
    let (folder, file) = file_of(10);
    let other = open_file(folder.file("file"), Access::ReadWrite).unwrap();
    let held = lock::try_lock(&file).unwrap().unwrap();
    assert!(lock::try_lock(&other).unwrap().is_none());
    let patience = std::time::Duration::from_millis(20);
    assert_eq!(lock::lock_within(&other, patience).unwrap_err().errno(), Errno::EAGAIN);
    drop(held);
    drop(lock::try_lock(&other).unwrap().unwrap());

    let ready = Anonymous::new(1).unwrap();
    let path = folder.file("file");
    let holder = Child::start(|| {
        let file = open_file(&path, Access::ReadWrite).unwrap();
        let _lock = lock::lock_within(&file, SECOND).unwrap();
        ready.view().write(0, &[1]).unwrap();
        loop {
            nix::unistd::pause();
        }
    });
    while ready.view().read_vec(0, 1).unwrap() == [0] {
        std::thread::yield_now();
    }
    assert!(lock::try_lock(&other).unwrap().is_none());
    drop(holder); // kill -9
    drop(lock::lock_within(&other, SECOND).unwrap());
}

fn a_reader_may_ask_about_the_lock() {
    let (folder, file) = file_of(10);
    let reader = File::open(folder.file("file")).unwrap();
    assert!(!lock::is_locked(&reader).unwrap());
    let held = lock::try_lock(&file).unwrap().unwrap();
    assert!(lock::is_locked(&reader).unwrap());
    assert!(!lock::is_locked(&file).unwrap(), "one's own does not count");
    assert_eq!(lock::try_lock(&reader).unwrap_err().errno(), Errno::EBADF);
    drop(held);
    assert!(!lock::is_locked(&reader).unwrap());
}

fn only_regular_files_are_opened() {
    let folder = testkit::folder();
    nix::unistd::mkfifo(&folder.file("fifo"), Mode::S_IRWXU).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(folder.file("socket")).unwrap();
    fs::create_dir(folder.file("folder")).unwrap();
    let errno = |name: &str, access| open_file(folder.file(name), access).unwrap_err().errno();
    for access in [Access::Read, Access::ReadWrite] {
        assert_eq!(errno("fifo", access), Errno::ENODEV);
        assert_eq!(errno("socket", access), Errno::ENXIO);
        assert_eq!(errno("folder", access), Errno::EISDIR);
        assert_eq!(errno("missing", access), Errno::ENOENT);
        assert_eq!(errno("/dev/null", access), Errno::ENODEV);
    }
    for options in [MapOptions::new(), MapOptions::new().read_write()] {
        let errno = |name: &str| options.open(folder.file(name)).unwrap_err().errno();
        assert_eq!((errno("fifo"), errno("missing")), (Errno::ENODEV, Errno::ENOENT));
        assert_eq!((errno("folder"), errno("/dev/null")), (Errno::EISDIR, Errno::ENODEV));
    }
    let device = File::open("/dev/zero").unwrap();
    assert_eq!(MapOptions::new().len(10).map(&device).unwrap_err().errno(), Errno::ENODEV);
    drop(socket);
}

fn links_are_followed_for_reading_only() {
    let (folder, _) = file_of(10);
    symlink("file", folder.file("link")).unwrap();
    symlink("nowhere", folder.file("dangling")).unwrap();
    assert!(open_file(folder.file("link"), Access::Read).is_ok());
    for name in ["link", "dangling"] {
        let errno = |result: ipc_common::Result<()>| result.unwrap_err().errno();
        let path = folder.file(name);
        assert_eq!(errno(open_file(&path, Access::ReadWrite).map(drop)), Errno::ELOOP);
        assert_eq!(errno(create_new(&path, 1, 0o600, |_| Ok(())).map(drop)), Errno::EEXIST);
        assert_eq!(errno(open_or_create(&path, 1, 0o600, |_| Ok(())).map(drop)), Errno::ELOOP);
    }
    assert!(!folder.file("nowhere").exists());
}

fn mapping_by_path_opens_for_what_the_mapping_needs() {
    let (folder, _) = file_of(10);
    symlink("file", folder.file("link")).unwrap();
    let open = |options: MapOptions, name| options.open(folder.file(name));
    let shared = open(MapOptions::new().read_write(), "file").unwrap();
    let private = open(MapOptions::new().read_write().private(), "link").unwrap();
    let read = open(MapOptions::new().offset(2).len(3), "link").unwrap();
    private.write_view().unwrap().write(2, b"not").unwrap();
    shared.write_view().unwrap().write(3, b"x").unwrap();
    assert_eq!(read.view().unwrap().read_vec(0, 3).unwrap(), [2, b'x', 4]);
    assert_eq!(fs::read(folder.file("file")).unwrap()[..5], [0, 1, 2, b'x', 4]);
    let refused = open(MapOptions::new().read_write(), "link").unwrap_err();
    assert_eq!(refused.errno(), Errno::ELOOP);
    // No descriptor is kept.
    let links = fs::read_dir("/proc/self/fd").unwrap();
    let kept = links.filter(|link| {
        fs::read_link(link.as_ref().unwrap().path()).is_ok_and(|path| path.ends_with("file"))
    });
    assert_eq!(kept.count(), 0);
}

/// The cold start: at no moment may anybody see an empty or unfinished file.
fn of_many_who_create_one_creates_and_all_see_it_complete() {
    for round in 0..testkit::soak(30, 500) {
        let folder = testkit::folder();
        let path = folder.file("cold");
        let created = Anonymous::new(8).unwrap();
        let fill = |file: &File| {
            file.write_all_at(b"complete", 4088).map_err(|e| ipc_common::Error::from_io("", &e, ""))
        };
        let creators: Vec<Child> = (0..3)
            .map(|_| {
                Child::start(|| {
                    let (file, found) = open_or_create(&path, 4096, 0o600, fill).unwrap();
                    check_complete(&file);
                    if found == Found::Created {
                        created
                            .view()
                            .atomic_u32(0)
                            .unwrap()
                            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let reader = Child::start(|| {
            loop {
                match open_file(&path, Access::Read) {
                    Ok(file) => return check_complete(&file),
                    Err(error) => assert_eq!(error.errno(), Errno::ENOENT),
                }
            }
        });
        creators.into_iter().for_each(Child::join);
        reader.join();
        let count = created.view().load_u32(0, std::sync::atomic::Ordering::SeqCst).unwrap();
        assert_eq!(count, 1, "round {round}");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is left over");
    }
}

fn check_complete(file: &File) {
    let mapping = MapOptions::new().map(file).expect("never empty");
    assert_eq!(mapping.view().unwrap().read_vec(4088, 8).unwrap(), b"complete");
}

/// The detector of the case above, shown the lecture's way of creating.
fn without_o_excl_care_a_half_made_file_would_be_seen() {
    let mut seen = false;
    for _ in 0..2000 {
        let folder = testkit::folder();
        let path = folder.file("cold");
        let creator = Child::start(|| {
            let file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .unwrap();
            file.set_len(4096).unwrap();
        });
        loop {
            if let Ok(file) = open_file(&path, Access::Read) {
                seen |= MapOptions::new().map(&file).is_err();
                break;
            }
        }
        creator.join();
        if seen {
            return;
        }
    }
    panic!("in 2000 cold starts the window was not seen once");
}

fn an_integer_is_read_at_any_offset_in_any_order() {
    let folder = testkit::folder();
    let path = folder.file("int");
    let mut bytes = vec![0; page() + 4];
    bytes[page() - 2..page() + 2].copy_from_slice(&[0xff, 0xfe, 0x01, 0x02]);
    fs::write(&path, &bytes).unwrap();
    let four = integer::four_bytes(&path, page() as u64 - 2).unwrap();
    assert_eq!(integer::Endian::Big.integer(four), i32::from_be_bytes([0xff, 0xfe, 1, 2]));
    assert_eq!(integer::Endian::Little.integer(four), i32::from_le_bytes([0xff, 0xfe, 1, 2]));
    assert!(integer::four_bytes(&path, page() as u64).is_ok());
    for offset in [page() as u64 + 1, u64::MAX - 2, i64::MAX as u64] {
        assert_eq!(integer::four_bytes(&path, offset).unwrap_err().errno(), Errno::ERANGE);
    }
}

fn a_strange_name_hides_no_other_file() {
    use std::os::unix::ffi::OsStrExt;
    let folder = testkit::folder();
    let strange = folder.path().join(std::ffi::OsStr::from_bytes(b"new\nline \xff"));
    fs::write(&strange, "x").unwrap();
    fs::write(folder.file("plain"), "y").unwrap();
    let one = MapOptions::new().map(File::open(&strange).unwrap()).unwrap();
    let two = MapOptions::new().map(File::open(folder.file("plain")).unwrap()).unwrap();
    assert_eq!(maps::listing_of(&one).unwrap().name, strange);
    assert_eq!(maps::listing_of(&two).unwrap().name, folder.file("plain"));
}
