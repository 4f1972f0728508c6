//! A name made durable, a file replaced: what is kept, what is refused, and what is in place when a
//! call fails or the process is killed at it.

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use common::{file_of, injected, injected_ok, names, page};
use ipc_common::{Errno, Error};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use page_sync::durable::{
    Content, NotReplaced, Replaced, leftovers, persist, persist_name, replace, replace_with,
};
use page_sync::file::PageFile;
use testkit::{Program, enter_namespaces, need, small_tmpfs};

testkit::cases! {
    a_name_is_synced_by_its_folder needs need::strace;
    names_that_are_not_there_are_not_called_durable;
    a_folder_that_cannot_be_synced_is_an_error_and_not_a_success needs need::strace;
    the_order_of_the_calls_is_the_promise needs need::strace;
    nothing_is_seen_until_it_is_complete;
    the_mode_is_kept_whatever_it_is;
    attributes_are_kept needs user_attributes;
    attributes_that_cannot_be_copied_are_not_dropped needs user_attributes, need::ordinary_user;
    set_user_id_is_not_kept;
    an_access_control_list_is_kept_and_none_is_invented needs acl_tools;
    a_new_file_gets_its_mode_by_the_umask;
    the_owner_is_kept needs need::root;
    another_users_file_is_refused_and_stays needs need::root, need::namespaces;
    links_are_not_followed;
    other_names_and_open_files_keep_the_old_content;
    what_is_no_file_is_refused;
    a_mount_point_is_refused_and_stays needs need::namespaces;
    a_full_disk_leaves_the_old_content needs need::namespaces;
    a_source_that_fails_leaves_the_old_content;
    each_call_that_fails_leaves_what_its_error_says needs need::strace;
    killed_at_each_call_it_is_all_of_the_old_or_all_of_the_new needs need::strace;
    a_replacement_under_way_is_no_leftover;
    a_long_name_is_replaced_too;
    an_error_that_is_passed_on_says_what_is_in_place;
}

fn acl_tools() -> Result<(), String> {
    let found = Command::new("setfacl").arg("--version").output();
    found.map(drop).map_err(|error| format!("setfacl: {error} (Debian package acl)"))
}

fn refused(result: Result<Replaced, NotReplaced>, errno: Errno) -> NotReplaced {
    let not = result.expect_err("it was replaced");
    assert_eq!((not.error().errno(), not.content()), (errno, Content::Old), "{not}");
    assert!(not.to_string().ends_with("the old content is in place"), "{not}");
    not
}

fn fine(result: Result<Replaced, NotReplaced>) -> Replaced {
    result.unwrap_or_else(|not| panic!("{not}"))
}

/// The system calls of this case's `body`, as strace shows them; `None` if we are the one traced.
fn traced(calls: &str, body: fn()) -> Option<Vec<String>> {
    if std::env::var_os("PAGE_SYNC_TRACED").is_some() {
        body();
        return None;
    }
    let folder = testkit::folder();
    let log = folder.file("log");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-e", &format!("trace={calls}"), "-o"]).arg(&log);
    strace.arg(std::env::current_exe().unwrap()).env("PAGE_SYNC_TRACED", "1");
    Program::run(&mut strace).ok();
    let text = fs::read_to_string(&log).unwrap();
    let call = |line: &str| line.split_once(' ').map(|(_pid, call)| call.trim().to_owned());
    Some(text.lines().filter_map(call).collect())
}

fn a_name_is_synced_by_its_folder() {
    let Some(calls) = traced("fsync,fdatasync,msync", || {
        let (folder, _) = file_of(1);
        // Opened anew: what was created without a name keeps that in the eyes of strace.
        let file = PageFile::open(folder.file("file")).unwrap();
        persist_name(folder.file("file")).unwrap();
        persist(&file).unwrap();
        std::env::set_current_dir(folder.path()).unwrap();
        persist_name("file").unwrap();
    }) else {
        return;
    };
    // The file itself is synced once, by `persist`.
    let files = calls.iter().filter(|call| call.contains("/file>)")).count();
    let folders = calls.iter().filter(|call| call.contains("ipc-course-test-")).count() - files;
    assert_eq!((files, folders), (1, 3), "{calls:#?}");
    assert!(calls.iter().all(|call| call.starts_with("fsync(") && call.ends_with("= 0")));
}

fn names_that_are_not_there_are_not_called_durable() {
    let folder = testkit::folder();
    let errno = |path: &Path| persist_name(path).unwrap_err().errno();
    assert_eq!(errno(&folder.file("none")), Errno::ENOENT);
    assert_eq!(errno(&folder.file("none/file")), Errno::ENOENT);
    assert_eq!(errno(Path::new("")), Errno::ENOENT);
    assert_eq!(errno(Path::new("/")), Errno::EISDIR);
    symlink("nowhere", folder.file("link")).unwrap();
    persist_name(folder.file("link")).expect("a link is a name, wherever it leads");
    fs::create_dir(folder.file("sub")).unwrap();
    persist_name(folder.file("sub")).unwrap();
}

fn a_folder_that_cannot_be_synced_is_an_error_and_not_a_success() {
    injected_ok(&["fsync:error=EIO"], || {
        let (folder, file) = file_of(1);
        let error = persist_name(folder.file("file")).unwrap_err();
        assert_eq!(error.errno(), Errno::EIO);
        assert!(error.about().contains("the folder of"), "{error}");
        assert_eq!(persist(&file).unwrap_err().errno(), Errno::EIO);
    });
}

/// The file is synced under its hidden name, then renamed, and last the folder is synced.
fn the_order_of_the_calls_is_the_promise() {
    let Some(calls) = traced("linkat,fsync,renameat,renameat2,rename,write", || {
        let folder = testkit::folder();
        let _ = fine(replace(folder.file("file"), 0o600, b"content"));
    }) else {
        return;
    };
    let ours: Vec<&str> = calls
        .iter()
        .filter(|call| call.contains("ipc-course-test-"))
        .map(|call| call.split('(').next().unwrap().trim_end_matches('2'))
        .collect();
    assert_eq!(ours, ["write", "linkat", "fsync", "renameat", "fsync"], "{calls:#?}");
}

fn nothing_is_seen_until_it_is_complete() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, "old").unwrap();
    let done = replace_with(&path, 0o600, |mut file| {
        file.write_all(b"half").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert!(names(folder.path()).len() <= 2);
        file.write_all(b" and half").unwrap();
        Ok(())
    });
    assert_eq!(fine(done), Replaced { created: false, other_names: 0 });
    assert_eq!(fs::read(&path).unwrap(), b"half and half");
    assert_eq!(names(folder.path()), ["file"]);
}

fn the_mode_is_kept_whatever_it_is() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, "old").unwrap();
    for mode in [0o600, 0o644, 0o444, 0o200, 0o000, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let _ = fine(replace(&path, 0o777, b"new"));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
    }
}

const COMMENT: &std::ffi::CStr = c"user.comment";

/// A file with an attribute of its user's.
fn commented(path: &Path) {
    let file = File::create(path).unwrap();
    let (fd, value) = (file.as_raw_fd(), c"kept");
    // SAFETY: C strings and a length that fits.
    let set = unsafe { libc::fsetxattr(fd, COMMENT.as_ptr(), value.as_ptr().cast(), 4, 0) };
    assert_eq!(set, 0, "the case needs user_attributes");
}

fn user_attributes() -> Result<(), String> {
    let path = std::env::temp_dir().join(format!("page-sync-xattr-{}", std::process::id()));
    let works = std::panic::catch_unwind(|| commented(&path)).is_ok();
    let _ = fs::remove_file(&path);
    if works { Ok(()) } else { Err("this file system keeps no attributes for users".into()) }
}

fn attributes_are_kept() {
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
fn attributes_that_cannot_be_copied_are_not_dropped() {
    let folder = testkit::folder();
    let path = folder.file("file");
    commented(&path);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o200)).unwrap();
    let not = refused(replace(&path, 0o600, b"new"), Errno::EACCES);
    assert!(not.to_string().contains("chmod u+r"), "{not}");
    assert_eq!(names(folder.path()), ["file"]);
}

fn set_user_id_is_not_kept() {
    let folder = testkit::folder();
    let path = folder.file("program");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o6755)).unwrap();
    let _ = fine(replace(&path, 0o600, b"new"));
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o755);
}

fn acl(path: &Path, arguments: &[&str]) -> String {
    Program::run(Command::new(arguments[0]).args(&arguments[1..]).arg(path)).ok()
}

fn an_access_control_list_is_kept_and_none_is_invented() {
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

fn a_new_file_gets_its_mode_by_the_umask() {
    let folder = testkit::folder();
    nix::sys::stat::umask(Mode::from_bits_truncate(0o027));
    let replaced = fine(replace(folder.file("new"), 0o666, b"content"));
    assert!(replaced.created);
    assert_eq!(fs::metadata(folder.file("new")).unwrap().mode() & 0o7777, 0o640);
}

fn the_owner_is_kept() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, "old").unwrap();
    chown(&path, Some(65534), Some(65534)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let _ = fine(replace(&path, 0o600, b"new"));
    let found = fs::metadata(&path).unwrap();
    assert_eq!((found.uid(), found.gid(), found.mode() & 0o7777), (65534, 65534, 0o640));
}

/// As an ordinary user who may write the folder, and so could replace the file.
fn another_users_file_is_refused_and_stays() {
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

fn links_are_not_followed() {
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

fn other_names_and_open_files_keep_the_old_content() {
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

fn what_is_no_file_is_refused() {
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

fn a_mount_point_is_refused_and_stays() {
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

fn a_full_disk_leaves_the_old_content() {
    let disk = small_tmpfs(4 * page());
    let path = disk.path().join("file");
    fs::write(&path, vec![1; 2 * page()]).unwrap();
    refused(replace(&path, 0o600, &vec![2; 3 * page()]), Errno::ENOSPC);
    assert_eq!(fs::read(&path).unwrap(), vec![1; 2 * page()]);
    assert_eq!(names(disk.path()), ["file"]);
    let _ = fine(replace(&path, 0o600, &vec![2; page()]));
}

fn a_source_that_fails_leaves_the_old_content() {
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

/// One call at a time fails.
fn each_call_that_fails_leaves_what_its_error_says() {
    for what in [
        "fchmod:error=EPERM",
        "linkat:error=EIO",
        "fsync:error=EIO:when=1",
        "fsync:error=EIO:when=2",
        "fsync:error=EDQUOT:when=1",
        "renameat,renameat2:error=EIO",
    ] {
        let Some(finished) = injected(&[what], one_call_fails) else { return };
        assert!(finished.status.success(), "{what}: {finished:?}");
    }
}

fn one_call_fails() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(&path, "old").unwrap();
    let done = replace(&path, 0o600, b"new");
    let not = done.expect_err("a call was to fail");
    let found = fs::read(&path).unwrap();
    match not.content() {
        Content::Old => {
            assert_eq!(found, b"old", "{not}");
            assert!(!not.error().about().contains("folder"), "{not}");
        }
        Content::New => {
            assert_eq!(found, b"new", "{not}");
            assert!(not.to_string().contains("a power cut may undo that"), "{not}");
            assert!(not.error().about().contains("the folder of"), "{not}");
        }
    }
    assert_eq!(names(folder.path()), ["file"], "{not}");
}

/// The folder's path goes by the environment: whoever was killed cleans nothing up.
const FOLDER: &str = "PAGE_SYNC_FOLDER";

fn killed_at(what: &str, expected: &[u8], left: usize) {
    let folder = testkit::folder();
    fs::write(folder.file("file"), "old").unwrap();
    // SAFETY: this case has one thread.
    unsafe { std::env::set_var(FOLDER, folder.path()) };
    let finished = injected(&[what], replace_in_folder).expect("we are the one outside");
    let status = finished.status;
    let killed = status.signal() == Some(Signal::SIGKILL as i32) || status.code() == Some(137);
    assert!(killed, "{what}: {finished:?}");
    assert_eq!(fs::read(folder.file("file")).unwrap(), expected, "{what}");
    let found = leftovers(folder.file("file")).unwrap();
    assert_eq!(found.len(), left, "{what}: {found:?}");
    assert_eq!(names(folder.path()).len(), 1 + left, "every leftover is recognised");
    for leftover in found {
        fs::remove_file(leftover).unwrap();
    }
    // And the next one works.
    let _ = fine(replace(folder.file("file"), 0o600, b"later"));
    assert_eq!(names(folder.path()), ["file"]);
}

fn replace_in_folder() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let _ = fine(replace(Path::new(&folder).join("file"), 0o600, b"new"));
}

/// strace kills before the call is made.
fn killed_at_each_call_it_is_all_of_the_old_or_all_of_the_new() {
    if std::env::var_os(FOLDER).is_some() {
        return replace_in_folder();
    }
    killed_at("fchmod:signal=KILL:when=1", b"old", 0);
    killed_at("linkat:signal=KILL:when=1", b"old", 0);
    killed_at("fsync:signal=KILL:when=1", b"old", 1);
    killed_at("renameat,renameat2:signal=KILL:when=1", b"old", 1);
    killed_at("fsync:signal=KILL:when=2", b"new", 0);
}

fn a_replacement_under_way_is_no_leftover() {
    let folder = testkit::folder();
    let path = folder.file("file");
    fs::write(folder.file(".file.1.2.replacement"), "left by somebody").unwrap();
    fs::write(folder.file(".file.swp"), "an editor's").unwrap();
    let left = [folder.file(".file.1.2.replacement")];
    let _ = fine(replace_with(&path, 0o600, |_| {
        assert_eq!(leftovers(&path).unwrap(), left);
        Ok(())
    }));
    assert_eq!(leftovers(&path).unwrap(), left);
    assert!(leftovers(folder.file("other")).unwrap().is_empty());
    assert_eq!(leftovers(folder.file("no/file")).unwrap_err().errno(), Errno::ENOENT);
}

fn a_long_name_is_replaced_too() {
    let folder = testkit::folder();
    let path = folder.file(&"x".repeat(255));
    assert!(fine(replace(&path, 0o600, b"one")).created);
    assert!(!fine(replace(&path, 0o600, b"two")).created);
    assert_eq!(fs::read(&path).unwrap(), b"two");
    refused(replace(folder.file(&"x".repeat(256)), 0o600, b"no"), Errno::ENAMETOOLONG);
}

fn an_error_that_is_passed_on_says_what_is_in_place() {
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
