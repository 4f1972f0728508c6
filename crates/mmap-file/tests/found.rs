//! What hostile peers, written by someone who had not seen the other tests, once found. Each of
//! these failed.

use std::fs::{self, File};
use std::io::Write;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use ipc_common::Errno;
use mmap_file::MapOptions;
use mmap_file::lock::{is_locked, try_lock};
use mmap_file::note::{Adopt, NoteReader, NoteWriter};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

testkit::cases! {
    a_mapping_at_a_chosen_address_never_becomes_the_stack;
    a_note_with_holes_on_a_full_disk_is_an_error_and_no_sigbus needs testkit::need::namespaces;
    a_forked_child_does_not_release_its_parents_file_lock;
    a_strangers_file_name_does_not_drive_the_terminal;
}

/// How a forked child ends.
fn child(work: impl FnOnce()) -> WaitStatus {
    // SAFETY: the case has one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            work();
            // SAFETY: _exit takes a number.
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => waitpid(child, None).unwrap(),
    }
}

#[inline(never)]
fn recurse(depth: usize) -> u8 {
    let frame = std::hint::black_box([0x5a_u8; 4096]);
    if depth == 0 { frame[7] } else { recurse(depth - 1) ^ std::hint::black_box(frame[9]) }
}

/// The gap below the stack is unmapped, and MAP_FIXED_NOREPLACE would have mapped there.
fn a_mapping_at_a_chosen_address_never_becomes_the_stack() {
    const LEN: usize = 2 << 20;
    let folder = testkit::folder();
    let file = mmap_file::create_new(folder.file("f"), LEN as u64, 0o600, |_| Ok(())).unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let stack = maps.lines().find(|line| line.ends_with("[stack]")).unwrap();
    let start = usize::from_str_radix(stack.split('-').next().unwrap(), 16).unwrap();
    let below = NonZeroUsize::new(start - LEN).unwrap();
    let mapping = MapOptions::new().read_write().at(below).map(&file);
    std::hint::black_box(recurse(100));
    assert!(fs::read(folder.file("f")).unwrap().iter().all(|byte| *byte == 0));
    assert_eq!(mapping.unwrap_err().errno(), Errno::EEXIST);
}

fn fill_disk(disk: &Path) {
    let mut full = File::create(disk.join("full")).unwrap();
    while full.write_all(&[1; 4096]).is_ok() {}
}

/// A hole has a length and no room. On a full disk its first touch is SIGBUS.
fn a_note_with_holes_on_a_full_disk_is_an_error_and_no_sigbus() {
    let disk = testkit::small_tmpfs(256 * 1024);
    let path = disk.path().join("note");
    let file = File::create(&path).unwrap();
    file.set_len(64 * 1024).unwrap();
    let mut trailer = [0; 12];
    trailer[..8].copy_from_slice(b"ipc-note");
    trailer[8..].copy_from_slice(&1_u32.to_ne_bytes());
    file.write_all_at(&trailer, 64 * 1024 - 64).unwrap();
    fill_disk(disk.path());
    let patience = Duration::from_secs(1);
    let writing = child(|| {
        let written = NoteWriter::open(&path, Adopt::Lecture, patience)
            .and_then(|(mut writer, _)| writer.write(&[b'x'; 50_000], patience));
        assert!(written.is_err());
    });
    assert!(matches!(writing, WaitStatus::Exited(_, 0)), "{writing:?}");
    let reading = child(|| drop(NoteReader::open(&path).map(|mut reader| reader.read())));
    assert!(matches!(reading, WaitStatus::Exited(_, 0)), "{reading:?}");
}

fn a_forked_child_does_not_release_its_parents_file_lock() {
    let folder = testkit::folder();
    let file = mmap_file::create_new(folder.file("f"), 1, 0o600, |_| Ok(())).unwrap();
    let other = File::options().read(true).write(true).open(folder.file("f")).unwrap();
    let mut held = Some(try_lock(&file).unwrap().unwrap());
    child(|| drop(held.take()));
    assert!(is_locked(&other).unwrap());
    drop(held);
    assert!(!is_locked(&other).unwrap());
}

fn a_strangers_file_name_does_not_drive_the_terminal() {
    let folder = testkit::folder();
    let path = folder.file("note");
    drop(NoteWriter::create(&path, 4096).unwrap());
    let (mut writer, _) = NoteWriter::open(&path, Adopt::Lecture, Duration::ZERO).unwrap();
    let held = File::options().read(true).write(true).open(&path).unwrap();
    let _lock = try_lock(&held).unwrap().unwrap();
    fs::rename(&path, folder.file("\x1b]0;stolen\x07\x1b[2J")).unwrap();
    let error = writer.write(b"x", Duration::ZERO).unwrap_err().to_string();
    assert!(error.contains("stolen") && !error.contains(char::is_control), "{error:?}");
}
