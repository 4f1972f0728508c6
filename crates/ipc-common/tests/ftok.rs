//! Our `ftok` against the C library's, and against Perl's, on real paths of every kind.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use ipc_common::key::ftok;
use ipc_common::{Errno, Project};

testkit::cases! {
    every_path_gives_the_key_that_the_c_library_gives;
    every_path_gives_the_key_that_perl_gives needs testkit::need::perl_ipc_sysv;
    a_path_that_cannot_be_reached_fails_as_in_the_c_library;
    saving_by_rename_changes_the_key_and_a_second_name_does_not;
}

/// Paths of every kind; the folder keeps the made ones alive.
fn paths(folder: &testkit::Folder) -> Vec<PathBuf> {
    let made: Vec<PathBuf> =
        ["plain", "with space", "höhle", "new\nline"].map(|name| folder.file(name)).into();
    for path in &made {
        fs::write(path, "x").unwrap();
    }
    let not_utf8 = folder.path().join(std::ffi::OsStr::from_bytes(b"\xff\xfe"));
    fs::write(&not_utf8, "x").unwrap();
    let link = folder.file("link");
    std::os::unix::fs::symlink(&made[0], &link).unwrap();
    let known = ["/", ".", "/proc/version", "/dev/null", "/etc/passwd", "/sys"].map(PathBuf::from);
    made.into_iter().chain([not_utf8, link, folder.path().to_owned()]).chain(known).collect()
}

const PROJECTS: [i32; 7] = [1, 'R' as i32, 0xaa, 0xff, 0x1aa, -1, i32::MIN + 1];

fn c_ftok(path: &Path, project: i32) -> i32 {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: the path is a C string that lives until the call returns.
    unsafe { libc::ftok(path.as_ptr(), project) }
}

fn every_path_gives_the_key_that_the_c_library_gives() {
    let folder = testkit::folder();
    for path in paths(&folder) {
        for number in PROJECTS {
            let ours = ftok(&path, Project::new(number).unwrap()).unwrap().key().raw();
            assert_eq!(ours, c_ftok(&path, number), "{} {number:#x}", path.display());
        }
    }
}

fn every_path_gives_the_key_that_perl_gives() {
    let folder = testkit::folder();
    for path in paths(&folder) {
        let program = "use IPC::SysV 'ftok'; printf '%d', ftok($ARGV[0], 0xaa)";
        let said = Command::new("perl").args(["-e", program]).arg(&path).output().unwrap();
        let perls: i32 = String::from_utf8_lossy(&said.stdout).parse().unwrap();
        let ours = ftok(&path, Project::new(0xaa).unwrap()).unwrap().key().raw();
        assert_eq!(ours, perls, "{}", path.display());
    }
}

fn a_path_that_cannot_be_reached_fails_as_in_the_c_library() {
    let folder = testkit::folder();
    let file = folder.file("file");
    fs::write(&file, "x").unwrap();
    for (path, errno) in [
        (folder.file("missing"), Errno::ENOENT),
        (file.join("below"), Errno::ENOTDIR),
        (PathBuf::new(), Errno::ENOENT),
    ] {
        let error = ftok(&path, Project::LECTURE).unwrap_err();
        assert_eq!(c_ftok(&path, 'R' as i32), -1);
        assert_eq!((error.errno(), Errno::last()), (errno, errno), "{error}");
        assert!(error.to_string().starts_with("ftok: "), "{error}");
    }
    let error = ftok("a\0b", Project::LECTURE).unwrap_err();
    assert!(error.remedy().contains("NUL"), "{error}");
}

fn saving_by_rename_changes_the_key_and_a_second_name_does_not() {
    let folder = testkit::folder();
    let (file, draft, alias) = (folder.file("file"), folder.file("draft"), folder.file("alias"));
    fs::write(&file, "one").unwrap();
    fs::hard_link(&file, &alias).unwrap();
    let key = |path: &Path| ftok(path, Project::LECTURE).unwrap();
    let before = key(&file);
    assert_eq!(key(&alias), before);
    fs::write(&file, "written in place").unwrap();
    assert_eq!(key(&file), before);
    fs::write(&draft, "two").unwrap();
    fs::rename(&draft, &file).unwrap();
    assert_ne!(key(&file).inode(), before.inode());
}
