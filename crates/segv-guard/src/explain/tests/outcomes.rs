//! What an access would do, and this very process.

use std::fs::File;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;

use super::*;

#[test]
fn an_outcome_follows_protection_length_and_place() {
    let refused = |signal, cause| Outcome::Refused { signal, cause };
    let page = ipc_common::PageSize::system().bytes();
    let scene = with_notes(Some(100));
    let (denied, nothing) =
        (refused(Signal::SIGSEGV, Cause::Protection), refused(Signal::SIGSEGV, Cause::Unmapped));
    for (address, access, outcome) in [
        (NOTES + page - 1, Read, Outcome::Succeeds),
        (NOTES + page, Read, refused(Signal::SIGBUS, Cause::PastEndOfFile)),
        (NOTES + page, Write, denied),
        (PLAIN, Write, Outcome::Succeeds),
        (PLAIN, Execute, denied),
        (0x7f00_0011_0000, Read, denied),
        (0x5500_0003_0000, Read, nothing),
        (0, Write, nothing),
        (0xffff_8000_0000_0000, Read, nothing),
        (0x7ffc_ffff_fff8, Write, Outcome::GrowsStack),
        (0x7ffc_ffff_fff8, Execute, denied),
        (0xffff_ffff_ff60_0000, Read, nothing),
    ] {
        assert_eq!(scene.outcome(address, access), outcome, "{address:#x} {access:?}");
    }
    if cfg!(target_arch = "x86_64") {
        let no_page = refused(Signal::SIGSEGV, Cause::NonCanonical);
        assert_eq!(scene.outcome(1 << 62, Read), no_page);
    }
}

#[test]
fn this_process_is_seen_with_the_lengths_of_its_files() {
    let path = std::env::current_exe().unwrap();
    let len = File::open(path).unwrap().metadata().unwrap().len();
    let scene = Scene::of_this_process().unwrap();
    let code = this_process_is_seen_with_the_lengths_of_its_files as fn() as usize;
    let Place::Mapped(listed) = scene.place(code) else { panic!("{:?}", scene.place(code)) };
    assert_eq!((listed.file_len, listed.exec), (Some(len), true));
    assert_eq!(scene.outcome(code, Execute), Outcome::Succeeds);
    assert!(!scene.outcome(code, Write).is_allowed());
    let local = 0_u8;
    assert_eq!(scene.outcome((&raw const local).addr(), Write), Outcome::Succeeds);
}

#[test]
fn a_file_without_a_name_has_a_length_while_it_is_open() {
    let file = memfd_create("pad", MFdFlags::empty()).unwrap();
    ftruncate(&file, 12345).unwrap();
    let len = std::num::NonZeroUsize::MIN;
    let (open, flags) =
        (nix::sys::mman::ProtFlags::PROT_READ, nix::sys::mman::MapFlags::MAP_SHARED);
    // SAFETY: a new mapping, at an address of the kernel's choice, that stays.
    let at = unsafe { nix::sys::mman::mmap(None, len, open, flags, &file, 0) }.unwrap();
    let scene = Scene::of_this_process().unwrap();
    let Place::Mapped(listed) = scene.place(at.as_ptr().addr()) else { panic!("it is mapped") };
    assert_eq!((listed.what().as_str(), listed.file_len), ("pad", Some(12345)));
}

#[test]
fn a_process_that_is_not_there_says_so() {
    let error = Scene::of(u32::MAX).unwrap_err();
    assert_eq!(error.errno(), ipc_common::Errno::ESRCH);
}
