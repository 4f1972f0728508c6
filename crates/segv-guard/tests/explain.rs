//! What is said about an address, against what then happens there.

mod support;

use std::fs::{self, File, OpenOptions};
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::path::Path;
use std::ptr;

use ipc_common::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mprotect};
use nix::sys::signal::Signal;
use nix::unistd::ftruncate;
use segv_guard::explain::{Backing, Listed, Mistake, Outcome, Place, Scene};
use segv_guard::{Access, Cause, Fault, Guard, install};
use support::{OPEN, PART, in_child, nothing, pages, short_file};
use testkit::need;

testkit::cases! {
    what_is_foreseen_is_what_happens;
    what_is_foreseen_about_the_stack_is_what_happens;
    what_is_foreseen_about_a_guarded_page_is_what_happens needs told_of_guards, testkit::need::native;
    a_file_that_somebody_truncates_is_named_with_its_page needs testkit::need::native;
    the_length_of_a_file_is_found_without_its_name;
    another_file_at_the_same_path_lends_no_length;
    a_path_may_hold_anything;
    another_process_is_seen_as_it_sees_itself;
    memory_that_was_freed_is_told_from_memory_that_never_was;
    another_users_process_says_so needs need::ordinary_user;
}

const READ: ProtFlags = ProtFlags::PROT_READ;

fn tried(guard: Guard, address: usize, access: Access) -> Result<(), Fault> {
    let at = ptr::with_exposed_provenance_mut::<u8>(address);
    // SAFETY: what is written is what was there, and no thread beside this one is.
    unsafe {
        let byte = guard.read_byte(at)?;
        if access == Access::Write { guard.write_byte(at, byte) } else { Ok(()) }
    }
}

/// Everything this process has, and what a zoo adds to it.
fn zoo() -> Vec<usize> {
    let (exec, all) = (ProtFlags::PROT_EXEC, OPEN | ProtFlags::PROT_EXEC);
    for protection in [ProtFlags::PROT_NONE, READ, ProtFlags::PROT_WRITE, OPEN, READ | exec, all] {
        pages(protection);
    }
    let (_, file) = short_file();
    std::mem::forget(file);
    let middle = pages(OPEN).wrapping_add(PART / 2);
    // SAFETY: half of a mapping of ours that nobody looks at.
    unsafe { mprotect(ptr::NonNull::new(middle.cast()).unwrap(), PART / 2, READ) }.unwrap();
    let mut addresses = vec![0, 8, 0xffff, nothing().addr(), 1 << 62, 1 << 63, usize::MAX];
    addresses.extend([0xffff_8000_0000_0000, 0xffff_ffff_ff60_0000, 0x7fff_ffff_f000]);
    for listed in Scene::of_this_process().unwrap().mappings() {
        let len = listed.end - listed.start;
        // Both sides of both ends; and the middle, where a file may have ended.
        let ends = [listed.start - 1, listed.start, listed.end - 1, listed.end];
        // Not just below the stack: trying there changes what will be true of the next address.
        let stack = listed.backing() == Backing::Stack;
        addresses.extend(ends.into_iter().filter(|end| !stack || *end >= listed.start));
        addresses.extend([listed.start + len / 2 - 1, listed.start + len / 2]);
    }
    addresses
}

fn what_is_foreseen_is_what_happens() {
    let guard = install().unwrap();
    let addresses = zoo();
    let (mut succeeded, mut refused) = (0, 0);
    for access in [Access::Read, Access::Write] {
        for address in &addresses {
            let scene = Scene::of_this_process().unwrap();
            let foreseen = scene.outcome(*address, access);
            // A write that cannot even be read first is not tried as a write.
            let readable = scene.outcome(*address, Access::Read).is_allowed();
            if matches!(foreseen, Outcome::Unclear(_)) || (access == Access::Write && !readable) {
                continue;
            }
            match tried(guard, *address, access) {
                Ok(()) => {
                    assert!(foreseen.is_allowed(), "{address:#x} {access:?}: {foreseen}");
                    succeeded += 1;
                }
                Err(fault) => {
                    let seen = Outcome::Refused { signal: fault.signal(), cause: fault.cause() };
                    assert_eq!(foreseen, seen, "{address:#x} {access:?}: {fault}");
                    refused += 1;
                }
            }
        }
    }
    assert!(succeeded > 50 && refused > 30, "{succeeded} succeeded, {refused} were refused");
}

fn stack(scene: &Scene) -> Listed {
    let stack = scene.mappings().iter().find(|listed| listed.backing() == Backing::Stack);
    stack.expect("every process has one").clone()
}

fn what_is_foreseen_about_the_stack_is_what_happens() {
    let guard = install().unwrap();
    let scene = Scene::of_this_process().unwrap();
    let bottom = stack(&scene).start;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: there is room for the limit.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_STACK, &mut limit) }, 0);
    // From far away to close by, since a stack that has grown stays so.
    for below in [1 << 40, 1 << 33, limit.rlim_cur as usize, 3 << 20, 1 << 20, PART, 1] {
        let Some(address) = bottom.checked_sub(below) else { continue };
        let scene = Scene::of_this_process().unwrap();
        if matches!(scene.place(address), Place::Gap { .. }) {
            let foreseen = scene.outcome(address, Access::Read);
            let happened = tried(guard, address, Access::Read);
            assert_eq!(foreseen.is_allowed(), happened.is_ok(), "{below} below: {foreseen}");
            if happened.is_ok() {
                assert_eq!(foreseen, Outcome::GrowsStack);
                assert!(stack(&Scene::of_this_process().unwrap()).start <= address);
            }
        }
    }
}

/// `madvise(MADV_GUARD_INSTALL)`, Linux 6.13; pagemap tells of it since 6.15.
fn told_of_guards() -> Result<(), String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse::<u32>().ok());
    let version = (numbers.next().flatten(), numbers.next().flatten());
    if version >= (Some(6), Some(15)) {
        Ok(())
    } else {
        Err("this kernel does not tell which pages are guarded (Linux 6.15)".into())
    }
}

fn what_is_foreseen_about_a_guarded_page_is_what_happens() {
    let at = pages(OPEN);
    // SAFETY: memory of ours that nobody looks at.
    assert_eq!(unsafe { libc::madvise(at.cast(), PART / 2, 102) }, 0);
    let scene = Scene::of_this_process().unwrap();
    let refused = Outcome::Refused { signal: Signal::SIGSEGV, cause: Cause::Unmapped };
    for access in [Access::Read, Access::Write, Access::Execute] {
        assert!(!scene.outcome(at.addr() + PART / 2 - 1, access).is_allowed(), "{access:?}");
    }
    assert_eq!(scene.outcome(at.addr(), Access::Write), refused);
    let fault = tried(install().unwrap(), at.addr(), Access::Read).unwrap_err();
    assert_eq!((fault.signal(), fault.cause()), (Signal::SIGSEGV, Cause::Unmapped));
    assert!(matches!(scene.explain(&fault).mistake(), Mistake::GuardPage { .. }));
    assert_eq!(scene.outcome(at.addr() + PART / 2, Access::Write), Outcome::Succeeds);
}

/// `len` bytes mapped from the file, shared.
fn map(file: impl AsFd, len: usize, protection: ProtFlags) -> *mut u8 {
    let len = NonZeroUsize::new(len).unwrap();
    // SAFETY: a new mapping at an address of the kernel's choice, which stays.
    unsafe { mmap(None, len, protection, MapFlags::MAP_SHARED, file, 0) }.unwrap().cast().as_ptr()
}

fn file(path: &Path, len: usize) -> File {
    fs::write(path, vec![b'x'; len]).unwrap();
    OpenOptions::new().read(true).write(true).open(path).unwrap()
}

fn mistake_at(address: *mut u8) -> Mistake {
    // SAFETY: a byte of a mapping that only this test knows of.
    let fault = unsafe { install().unwrap().read_byte(address) }.unwrap_err();
    Scene::of_this_process().unwrap().explain(&fault).mistake().clone()
}

fn a_file_that_somebody_truncates_is_named_with_its_page() {
    let folder = testkit::folder();
    let notes = file(&folder.file("notes.dat"), 4 * PART);
    let at = map(&notes, 4 * PART, READ);
    let before = Scene::of_this_process().unwrap();
    notes.set_len(10).unwrap();
    let third = at.wrapping_add(3 * PART);
    // SAFETY: a byte of a mapping that only this test knows of.
    let fault = unsafe { install().unwrap().read_byte(third) }.unwrap_err();
    let page = (3 * PART / ipc_common::PageSize::system().bytes()) as u64;
    let past_end =
        |before| Mistake::PastEndOfFile { page, file: "notes.dat".into(), bytes: 10, before };
    let now = Scene::of_this_process().unwrap();
    assert_eq!(now.explain(&fault).mistake(), &past_end(None));
    let had = Some(4 * PART as u64);
    let explained = now.since(&before).explain(&fault);
    assert_eq!(explained.mistake(), &past_end(had));
    let sentence = format!(
        "reading {:#x}: page {page} lies past the end of notes.dat, which has 10 bytes and had {}: \
         someone truncated it",
        third.addr(),
        4 * PART
    );
    assert_eq!(explained.to_string(), sentence);
}

fn the_length_of_a_file_is_found_without_its_name() {
    let folder = testkit::folder();
    let path = folder.file("gone");
    let open = file(&path, 100);
    let at = map(&open, PART, READ);
    fs::remove_file(&path).unwrap();
    let length = |at: *mut u8| match Scene::of_this_process().unwrap().place(at.addr()) {
        Place::Mapped(listed) => (listed.what(), listed.file_len),
        place => panic!("{place}"),
    };
    assert_eq!(length(at), ("gone (deleted)".into(), Some(100)));
    let unnamed = memfd_create("pad", MFdFlags::empty()).unwrap();
    ftruncate(&unnamed, 200).unwrap();
    assert_eq!(length(map(&unnamed, PART, READ)), ("pad".into(), Some(200)));
}

fn another_file_at_the_same_path_lends_no_length() {
    let folder = testkit::folder();
    let (path, other) = (folder.file("f"), folder.file("other"));
    let at = map(file(&path, 100), PART, READ);
    file(&other, 9 * PART);
    fs::rename(&other, &path).unwrap();
    let scene = Scene::of_this_process().unwrap();
    let Place::Mapped(listed) = scene.place(at.addr()) else { panic!("it is mapped") };
    // Root may look at the very mapping (/proc/self/map_files); others cannot tell.
    assert!(matches!(listed.file_len, None | Some(100)), "{listed:?}");
    let past_end = mistake_at(at.wrapping_add(PART - 1));
    let known = matches!(past_end, Mistake::PastEndOfFile { bytes: 100, .. });
    assert!(known || matches!(past_end, Mistake::PerhapsPastEndOfFile { .. }), "{past_end:?}");
}

fn a_path_may_hold_anything() {
    use std::os::unix::ffi::OsStrExt;
    let folder = testkit::folder();
    let name = std::ffi::OsStr::from_bytes(b" \xff\x1b[31m\nnew line (deleted) ");
    let path = folder.path().join(name);
    let at = map(file(&path, 100), PART, READ);
    let scene = Scene::of_this_process().unwrap();
    let Place::Mapped(listed) = scene.place(at.addr()) else { panic!("it is mapped") };
    assert_eq!(listed.name, path);
    assert_eq!(listed.file_len, Some(100));
    assert!(!listed.what().contains(['\n', '\x1b']), "{}", listed.what());
}

fn another_process_is_seen_as_it_sees_itself() {
    let at = pages(READ);
    let own = Scene::of_this_process().unwrap();
    let parent = std::process::id();
    let status = in_child(|| {
        let other = Scene::of(parent).unwrap();
        let same = other.pid() == Some(parent) && other.place(at.addr()) == own.place(at.addr());
        i32::from(!same)
    });
    assert!(matches!(status, nix::sys::wait::WaitStatus::Exited(_, 0)), "{status:?}");
    // A kernel thread, or one's own child that has ended, has nothing mapped.
    let gone = Scene::of(u32::MAX - 1).unwrap_err();
    assert_eq!((gone.call(), gone.errno()), ("open", Errno::ESRCH));
    assert!(gone.to_string().contains("no process with this id"), "{gone}");
}

fn memory_that_was_freed_is_told_from_memory_that_never_was() {
    let at = pages(OPEN);
    let before = Scene::of_this_process().unwrap();
    // SAFETY: a mapping of ours that nobody knows of.
    unsafe { nix::sys::mman::munmap(ptr::NonNull::new(at).unwrap().cast(), PART) }.unwrap();
    // SAFETY: nothing is there.
    let fault = unsafe { install().unwrap().read_byte(at.wrapping_add(77)) }.unwrap_err();
    assert_eq!((fault.signal(), fault.cause()), (Signal::SIGSEGV, Cause::Unmapped));
    let now = Scene::of_this_process().unwrap();
    assert!(!matches!(now.explain(&fault).mistake(), Mistake::Freed { .. }));
    let freed = Mistake::Freed { what: "anonymous memory".into() };
    assert_eq!(now.since(&before).explain(&fault).mistake(), &freed);
}

fn another_users_process_says_so() {
    let error = Scene::of(1).unwrap_err();
    assert_eq!(error.errno(), Errno::EACCES);
    assert!(error.to_string().contains("another user"), "{error}");
}
