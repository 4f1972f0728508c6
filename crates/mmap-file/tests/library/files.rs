//! Locks, opening, creating, integers and names.

use super::*;

pub fn the_lock_keeps_others_out_and_ends_with_its_holder() {
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

pub fn a_reader_may_ask_about_the_lock() {
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

pub fn only_regular_files_are_opened() {
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

pub fn links_are_followed_for_reading_only() {
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

pub fn mapping_by_path_opens_for_what_the_mapping_needs() {
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
pub fn of_many_who_create_one_creates_and_all_see_it_complete() {
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
pub fn without_o_excl_care_a_half_made_file_would_be_seen() {
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

pub fn an_integer_is_read_at_any_offset_in_any_order() {
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

pub fn a_strange_name_hides_no_other_file() {
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
