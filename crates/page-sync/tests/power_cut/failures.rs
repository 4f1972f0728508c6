//! What fails half-way: injected where the kernel would say it, by strace, and for real.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sys::signal::Signal;
use testkit::{Finished, Folder, Program, enter_namespaces};

use crate::support::{assert_no_traces, assert_traces_vanish, children_of, page_sync, wait_for};

/// One trial of each of three rows, with errors injected: how it ended, and which process it was.
/// strace counts calls by process, and each trial's machine is one of its own.
fn injected(what: &str) -> (Finished, u32) {
    let program = env!("CARGO_BIN_EXE_page-sync");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={what}"), "sh", "-c"]);
    // The shell becomes the program, so this is the program's number.
    strace.arg(format!("echo $$; exec '{program}' power-cut --trials 1 --action nothing"));
    let mut running = Program::start(&mut strace);
    let pid = running.line().parse().expect("a process id");
    (running.finish(), pid)
}

/// Lets the first, the second, … call fail until there is none left to fail; returns how many there
/// are.
fn each_fails(call: &str, errno: &str) -> usize {
    for number in 1..30 {
        let (finished, pid) = injected(&format!("{call}:error={errno}:when={number}"));
        assert_traces_vanish(pid);
        match finished.code() {
            Some(0) => return number - 1,
            Some(1) => assert!(finished.stderr.contains(errno), "{number}: {finished:?}"),
            _ => panic!("{number}: {finished:?}"),
        }
    }
    panic!("{call} fails for ever")
}

pub fn every_mount_that_fails_leaves_nothing() {
    // Private, the tmpfs, FUSE, and ext4 three times: to prepare, to act, to look.
    assert_eq!(each_fails("mount", "ENODEV"), 6);
}

pub fn every_unmount_that_fails_leaves_nothing() {
    assert_eq!(each_fails("umount2", "EBUSY"), 5);
}

pub fn every_loop_device_that_fails_leaves_nothing() {
    // LOOP_CTL_GET_FREE and LOOP_CONFIGURE, three times each.
    assert_eq!(each_fails("ioctl", "ENXIO"), 6);
}

pub fn a_loop_device_that_somebody_else_takes_is_no_failure() {
    for number in [2, 4, 6] {
        let (finished, pid) = injected(&format!("ioctl:error=EBUSY:when={number}"));
        assert_eq!(finished.code(), Some(0), "{finished:?}");
        assert_no_traces(pid);
    }
}

pub fn no_room_for_the_copy_leaves_nothing() {
    // Whichever way the copy goes.
    let (finished, pid) = injected("copy_file_range,sendfile,splice:error=ENOSPC");
    assert_eq!(finished.code(), Some(1), "{finished:?}");
    assert!(finished.stderr.contains("-copy: ENOSPC"), "{finished:?}");
    assert_traces_vanish(pid);
}

/// The command, with another `mkfs.ext4`.
fn with_mkfs(script: &str) -> (Folder, Program) {
    let folder = testkit::folder();
    let mkfs = folder.file("mkfs.ext4");
    fs::write(&mkfs, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&mkfs, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let program = Program::start(page_sync(&["power-cut"]).env("PATH", path));
    (folder, program)
}

pub fn a_mkfs_that_fails_says_what_it_said() {
    let (_folder, program) = with_mkfs("echo 'not today' >&2; exit 3");
    let pid = program.pid();
    let finished = program.finish();
    assert_eq!((finished.code(), finished.stdout.as_str()), (Some(1), ""));
    assert!(finished.stderr.contains("mkfs.ext4") && finished.stderr.contains("not today"));
    assert_no_traces(pid);
}

pub fn a_mkfs_that_hangs_can_be_interrupted() {
    let (_folder, program) = with_mkfs("exec sleep 1000");
    let pid = program.pid();
    wait_for(|| children_of(pid).iter().any(|child| child.contains("sleep")), "mkfs");
    program.signal(Signal::SIGINT);
    let finished = program.finish();
    assert_eq!(finished.status.signal(), Some(libc::SIGINT), "{finished:?}");
    assert_no_traces(pid);
}

pub fn all_that_is_missing_is_named_at_once() {
    enter_namespaces();
    let folder = testkit::folder();
    for on in ["/dev", "/usr/local/sbin", "/usr/sbin", "/sbin", "/lib/modules"] {
        if Path::new(on).is_dir() {
            mount(Some("none"), on, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
        }
    }
    let filesystems = folder.file("filesystems");
    fs::write(&filesystems, "nodev\tproc\n\txfs\n").unwrap();
    let kernel = "/proc/filesystems";
    mount(Some(&filesystems), kernel, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();

    let finished = Program::run(page_sync(&["power-cut"]).env("PATH", "/nowhere"));
    assert_eq!(finished.code(), Some(1), "{finished:?}");
    for (thing, remedy) in [
        ("/dev/fuse (ENOENT)", "modprobe fuse"),
        ("/dev/loop-control (ENOENT)", "modprobe loop"),
        ("ext4 in this kernel", "modprobe ext4"),
        ("mkfs.ext4", "e2fsprogs"),
    ] {
        let line = finished.stderr.lines().find(|line| line.trim_start().starts_with(thing));
        assert!(line.is_some_and(|line| line.contains(remedy)), "{thing}: {finished:?}");
    }
    assert!(!finished.stderr.contains("root"), "that is not missing: {finished:?}");
    assert_eq!(finished.stderr.lines().count(), 5, "{finished:?}");
}

pub fn root_without_the_capability_is_told_so() {
    let program = env!("CARGO_BIN_EXE_page-sync");
    let mut command = Command::new("setpriv");
    let finished = Program::run(command.args(["--bounding-set=-sys_admin", program, "power-cut"]));
    assert_eq!(finished.code(), Some(1), "{finished:?}");
    assert!(
        finished.stderr.contains("a mount namespace (unshare: EPERM): ")
            && finished.stderr.contains("CAP_SYS_ADMIN"),
        "{finished:?}"
    );
}
