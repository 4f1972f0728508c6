//! Full disks and full address spaces: refused before anything is changed.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::{SECOND, mmap_file, on, text};
use ipc_common::{Errno, PageSize};
use mmap_file::note::{Adopt, NoteReader, NoteWriter};
use mmap_file::{Anonymous, MapOptions, MappedFile, create_new};
use nix::sys::resource::{Resource, setrlimit};
use testkit::{Program, need, small_tmpfs};

testkit::cases! {
    a_full_tmpfs_refuses_a_new_file_and_shows_none needs need::namespaces;
    a_full_tmpfs_refuses_growth_and_keeps_all_as_it_was needs need::namespaces;
    a_full_tmpfs_refuses_the_adoption_of_a_short_file needs need::namespaces;
    a_full_tmpfs_is_one_clear_line_from_the_writer needs need::namespaces;
    a_note_that_is_there_is_written_on_a_full_tmpfs needs need::namespaces;
    a_full_address_space_is_an_error;
    beyond_the_limit_of_a_file_the_writer_says_so_and_lives;
    a_folder_that_may_not_be_written_says_so needs need::ordinary_user;
}

fn page() -> usize {
    PageSize::system().bytes()
}

fn a_full_tmpfs_refuses_a_new_file_and_shows_none() {
    let disk = small_tmpfs(4 * page());
    let path = disk.path().join("new");
    let error = create_new(&path, 5 * page() as u64, 0o600, |_| Ok(())).unwrap_err();
    assert_eq!(error.errno(), Errno::ENOSPC);
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0);
    create_new(&path, 4 * page() as u64, 0o600, |_| Ok(())).expect("nothing was left allocated");
}

fn a_full_tmpfs_refuses_growth_and_keeps_all_as_it_was() {
    let disk = small_tmpfs(4 * page());
    let path = disk.path().join("file");
    let file = create_new(&path, page() as u64, 0o600, |_| Ok(())).unwrap();
    let mut mapped = MappedFile::new(file).unwrap();
    mapped.write_view().unwrap().write(0, b"kept").unwrap();
    let address = mapped.mapping().address();
    assert_eq!(mapped.grow(8 * page()).unwrap_err().errno(), Errno::ENOSPC);
    assert_eq!(fs::metadata(&path).unwrap().len() as usize, page());
    assert_eq!((mapped.len(), mapped.mapping().address()), (page(), address));
    assert_eq!(mapped.view().unwrap().read_vec(0, 4).unwrap(), b"kept");
    mapped.grow(4 * page()).unwrap();
    mapped.write_view().unwrap().fill(0, 4 * page(), 1).unwrap();
}

fn a_full_tmpfs_refuses_the_adoption_of_a_short_file() {
    let disk = small_tmpfs(2 * page());
    let path = disk.path().join("empty");
    fs::write(&path, "").unwrap();
    fs::write(disk.path().join("filler"), vec![1; 2 * page()]).unwrap();
    let error = NoteWriter::open(&path, Adopt::Lecture, SECOND).unwrap_err();
    assert_eq!(error.errno(), Errno::ENOSPC);
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    assert!(NoteReader::open(&path).unwrap().read().unwrap().text().unwrap().is_empty());
}

fn a_full_tmpfs_is_one_clear_line_from_the_writer() {
    let disk = small_tmpfs(page());
    fs::write(disk.path().join("filler"), vec![1; page()]).unwrap();
    let finished = Program::run(&mut on("writer", &disk.path().join("note")));
    assert_eq!(finished.code(), Some(1));
    assert!(
        finished.stderr.contains("ENOSPC") && finished.stderr.contains("df -h"),
        "{finished:?}"
    );
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 1);
}

fn a_note_that_is_there_is_written_on_a_full_tmpfs() {
    let disk = small_tmpfs(2 * page());
    let path = disk.path().join("note");
    common::write(&path, "before");
    fs::write(disk.path().join("filler"), vec![1; page()]).unwrap();
    common::write(&path, &"x".repeat(page() - 65));
    assert_eq!(text(&path).len(), page() - 65);
}

fn a_full_address_space_is_an_error() {
    let folder = testkit::folder();
    let path = folder.file("large");
    let large = 1 << 32;
    fs::File::create(&path).unwrap().set_len(large).unwrap();
    // For this case only: each has a process of its own.
    setrlimit(Resource::RLIMIT_AS, 1 << 30, 1 << 30).unwrap();
    let file = fs::File::open(&path).unwrap();
    for options in [MapOptions::new(), MapOptions::new().private()] {
        let error = options.map(&file).unwrap_err();
        assert_eq!(error.errno(), Errno::ENOMEM);
        assert!(error.about().contains("large") && error.remedy().contains("ulimit -v"), "{error}");
    }
    assert_eq!(Anonymous::new(large as usize).unwrap_err().errno(), Errno::ENOMEM);
    let mapped = MapOptions::new().offset(large - 4).len(4).map(&file).unwrap();
    assert_eq!(mapped.view().unwrap().read_vec(0, 4).unwrap(), [0; 4]);
    let found = Program::run(mmap_file(["int", "--offset", "4000000000"]).arg(&path)).ok();
    assert_eq!(found, "0\n");
}

/// By default SIGXFSZ would kill it without a word.
fn beyond_the_limit_of_a_file_the_writer_says_so_and_lives() {
    let folder = testkit::folder();
    let path = folder.file("note");
    let short = folder.file("short");
    fs::write(&short, "").unwrap();
    for file in [&path, &short] {
        let mut shell = std::process::Command::new("sh");
        // In units of 512 bytes or of a KiB, as the shell likes; a page is more in either.
        shell.args(["-c", r#"ulimit -f 1; exec "$0" "$@""#]);
        let ours = on("writer", file);
        let finished = Program::run(shell.arg(ours.get_program()).args(ours.get_args()));
        assert_eq!(finished.code(), Some(1), "{finished:?}");
        assert!(
            finished.stderr.contains("EFBIG") && finished.stderr.contains("ulimit -f"),
            "{finished:?}"
        );
    }
    assert!(!path.exists());
    assert_eq!(fs::metadata(&short).unwrap().len(), 0);
}

fn a_folder_that_may_not_be_written_says_so() {
    let folder = testkit::folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let finished = Program::run(&mut on("writer", &folder.file("note")));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(finished.code(), Some(1));
    assert!(finished.stderr.contains("EACCES"), "{finished:?}");
}
