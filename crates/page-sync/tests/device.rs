//! A device that really fails, and the kernel's own answers to it: told once, then "success", and
//! the data is gone.
//!
//! The device is a loop device over a file on a small tmpfs. A hole is punched into it where the
//! pages of a file lie, and the tmpfs is filled up: the next write of these pages finds no room,
//! and the kernel learns of it only when it writes them back. (The file system on it is ext4
//! without a journal: a journal would need room, too.)

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use common::page;
use ipc_common::Errno;
use nix::fcntl::{FallocateFlags, PosixFadviseAdvice, fallocate, posix_fadvise};
use nix::mount::{MntFlags, umount2};
use page_sync::file::PageFile;
use page_sync::sync::Msync;
use testkit::{Program, Tmpfs, need, small_tmpfs};

testkit::cases! {
    an_error_is_told_once_by_the_kernel_and_for_ever_by_us needs loop_devices, need::namespaces;
    without_the_memory_success_is_reported_of_data_that_is_gone needs loop_devices, need::namespaces;
    each_opening_hears_of_it_by_itself needs loop_devices, need::namespaces;
    a_rewrite_saves_what_there_is_a_copy_of needs loop_devices, need::namespaces;
}

fn loop_devices() -> Result<(), String> {
    need::root()?;
    if page() != 4096 {
        return Err("written for pages of one block, 4 KiB".into());
    }
    for (program, argument) in [("losetup", "-f"), ("mkfs.ext4", "-V"), ("mount", "-V")] {
        match Command::new(program).arg(argument).output() {
            Ok(output) if output.status.success() => {}
            Ok(_) => return Err(format!("`{program} {argument}` fails: no loop devices here")),
            Err(error) => return Err(format!("{program}: {error}")),
        }
    }
    Ok(())
}

const PAGES: usize = 4;
const MIB: usize = 1 << 20;

/// A disk that can be made to have no room left for pages that it had before.
struct Disk {
    below: Tmpfs,
    on: PathBuf,
}

impl Disk {
    /// With a file of `PAGES` pages on it, all of which begin with `marker`.
    fn with_a_file(marker: &[u8]) -> Disk {
        let below = small_tmpfs(12 * MIB);
        let (image, on) = (below.path().join("image"), below.path().join("on"));
        File::create(&image).unwrap().set_len(16 * MIB as u64).unwrap();
        let mut mkfs = Command::new("mkfs.ext4");
        mkfs.args(["-q", "-F", "-b", "4096", "-O", "^has_journal"]);
        Program::run(mkfs.arg(&image)).ok();
        fs::create_dir(&on).unwrap();
        // With `loop`, the device goes when the mount does: at the latest, with this case.
        let mut mount = Command::new("mount");
        Program::run(mount.args(["-o", "loop,noatime"]).arg(&image).arg(&on)).ok();
        let disk = Disk { below, on };
        let file = PageFile::create_new(disk.file(), PAGES).unwrap();
        for number in 0..PAGES {
            file.page_mut(number).unwrap().write(0, marker).unwrap();
        }
        file.fsync().unwrap();
        disk
    }

    fn file(&self) -> PathBuf {
        self.on.join("file")
    }

    /// From now on there is no room for the file's pages.
    fn break_at(&self, marker: &[u8]) {
        let path = self.below.path().join("image");
        let image = File::options().read(true).write(true).open(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        let blocks = bytes.chunks_exact(4096).enumerate();
        let holes: Vec<usize> = blocks
            .filter(|(_, block)| block.starts_with(marker))
            .map(|(at, _)| at * 4096)
            .collect();
        assert_eq!(holes.len(), PAGES, "the file's pages are on the device");
        for at in holes {
            let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
            fallocate(&image, flags, at as i64, 4096).unwrap();
        }
        let mut filler = File::create(self.below.path().join("filler")).unwrap();
        while filler.write_all(&[1; 4096]).is_ok() {}
    }

    fn mend(&self) {
        fs::remove_file(self.below.path().join("filler")).unwrap();
    }

    /// The first bytes of the file as the device has them: the kernel's copy is dropped first.
    fn read_back(&self, len: usize) -> Vec<u8> {
        let file = File::open(self.file()).unwrap();
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED).unwrap();
        let mut bytes = fs::read(self.file()).unwrap();
        bytes.truncate(len);
        bytes
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = umount2(&self.on, MntFlags::MNT_DETACH);
    }
}

/// Random, so that no other block looks like it.
fn marker() -> [u8; 8] {
    testkit::random_u64().to_ne_bytes()
}

fn fine() -> (Disk, [u8; 8]) {
    let marker = marker();
    (Disk::with_a_file(&marker), marker)
}

fn store(file: &PageFile, text: &[u8]) {
    for number in 0..PAGES {
        file.page_mut(number).unwrap().write(0, text).unwrap();
    }
}

fn an_error_is_told_once_by_the_kernel_and_for_ever_by_us() {
    let (disk, marker) = fine();
    let file = PageFile::open(disk.file()).unwrap();
    disk.break_at(&marker);
    store(&file, b"new");
    let error = file.sync(.., Msync::SYNC).unwrap_err();
    assert!(error.is_from_kernel(), "{error}");
    assert!([Errno::ENOSPC, Errno::EIO].contains(&error.errno()), "{error}");
    assert!(error.remedy().contains("may be gone"), "{error}");
    for _ in 0..3 {
        let still = file.sync(.., Msync::SYNC).unwrap_err();
        assert!(!still.is_from_kernel(), "the kernel has told it already: {still}");
        assert!(!file.fsync().unwrap_err().is_from_kernel());
    }
    assert_eq!(file.loss().unwrap().failures(), 1);
    assert_eq!(file.page(0).unwrap().read_vec(0, 3).unwrap(), b"new", "memory still shows it");
    drop(file);
    assert_ne!(disk.read_back(3), b"new", "and it is gone");
}

/// The twin: what the kernel says by itself, through memmap2 and std.
fn without_the_memory_success_is_reported_of_data_that_is_gone() {
    let (disk, marker) = fine();
    let file = File::options().read(true).write(true).open(disk.file()).unwrap();
    let map = memmap2::MmapOptions::new().map_raw(&file).unwrap();
    disk.break_at(&marker);
    for number in 0..PAGES {
        // SAFETY: inside the mapping, which nobody else has.
        unsafe { map.as_mut_ptr().add(number * page()).write_volatile(b'!') };
    }
    assert!(map.flush().is_err());
    map.flush().expect("the kernel tells it once");
    file.sync_all().expect("whatever the call");
    drop(map);
    assert_ne!(disk.read_back(1), b"!", "called a success, and gone");
}

fn each_opening_hears_of_it_by_itself() {
    let (disk, marker) = fine();
    let file = PageFile::open(disk.file()).unwrap();
    let other = PageFile::open(disk.file()).unwrap();
    disk.break_at(&marker);
    store(&file, b"new");
    file.sync(.., Msync::SYNC).unwrap_err();
    let error = other.fsync().unwrap_err();
    assert!(error.is_from_kernel(), "nobody has taken the report from it: {error}");
    assert!(!other.fsync().unwrap_err().is_from_kernel());
    // One that is opened afterwards was never told, and never will be: to open is to believe.
    let late = PageFile::open(disk.file()).unwrap();
    late.fsync().unwrap();
}

fn a_rewrite_saves_what_there_is_a_copy_of() {
    let (disk, marker) = fine();
    let mut file = PageFile::open(disk.file()).unwrap();
    disk.break_at(&marker);
    store(&file, b"new");
    file.sync(.., Msync::SYNC).unwrap_err();
    let copy = |number: usize, bytes: &mut [u8]| {
        bytes[..4].copy_from_slice(&[b'n', b'e', b'w', b'0' + number as u8]);
        Ok(())
    };
    file.rewrite(copy).expect_err("the disk is still full");
    assert!(file.loss().is_some());
    disk.mend();
    assert!(file.rewrite(copy).unwrap().is_some());
    file.fsync().unwrap();
    drop(file);
    assert_eq!(disk.read_back(4), b"new0", "from the device");
    let all = fs::read(disk.file()).unwrap();
    assert_eq!(all[3 * page()..][..4], *b"new3");
}
