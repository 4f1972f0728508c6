//! The sentences, on made-up processes and on this one.

use std::fs::File;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::Signal;
use nix::unistd::ftruncate;
use proptest::prelude::*;

use super::*;
use crate::fault::{Access, Cause, Fault};
use Access::{Execute, Read, Unknown, Write};

/// A small program of a system with pages of any size: all lengths are multiples of 64 KiB.
const MAPS: &[u8] = b"\
550000000000-550000010000 r--p 00000000 fe:00 7    /usr/bin/prog
550000010000-550000020000 r-xp 00010000 fe:00 7    /usr/bin/prog
550000020000-550000030000 rw-p 00020000 fe:00 7    /usr/bin/prog
550000040000-550000060000 rw-p 00000000 00:00 0    [heap]
7f0000000000-7f0000040000 r--s 00000000 fe:00 9    /home/ada/notes.dat
7f0000100000-7f0000110000 rw-p 00000000 00:00 0
7f0000110000-7f0000120000 ---p 00000000 00:00 0
7f0000200000-7f0000210000 ---p 00000000 00:00 0
7f0000210000-7f0000230000 rw-p 00000000 00:00 0
7f0000300000-7f0000310000 --xp 00000000 00:00 0
7f0000400000-7f0000410000 r--p 00000000 00:00 0
7f0000500000-7f0000520000 rw-p 00000000 00:11 3    /anon_hugepage (deleted)
7ffd00000000-7ffd00020000 rw-p 00000000 00:00 0    [stack]
7ffd000a0000-7ffd000b0000 r-xp 00000000 00:00 0    [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0    [vsyscall]
";

const NOTES: usize = 0x7f00_0000_0000;
const PLAIN: usize = 0x7f00_0010_0000;

fn scene() -> Scene {
    let mut mappings = crate::maps::parse(MAPS);
    mappings.iter_mut().filter(|listed| listed.is_file()).for_each(|l| l.file_len = Some(1 << 20));
    Scene::new(mappings)
}

/// The same, with so many bytes in notes.dat.
fn with_notes(len: Option<u64>) -> Scene {
    let mut mappings = crate::maps::parse(MAPS);
    mappings.iter_mut().filter(|listed| listed.inode == 9).for_each(|l| l.file_len = len);
    Scene::new(mappings)
}

fn segv(cause: Cause, address: usize, access: Access) -> Fault {
    let code = match cause {
        Cause::Unmapped => 1,
        Cause::Protection => 2,
        Cause::ProtectionKey => 4,
        Cause::NonCanonical => 128,
        other => panic!("{other:?}"),
    };
    Fault::reported(Signal::SIGSEGV, code, address, access)
}

fn bus(code: i32, address: usize, access: Access) -> Fault {
    Fault::reported(Signal::SIGBUS, code, address, access)
}

#[track_caller]
fn says(scene: &Scene, fault: Fault, sentence: &str) {
    assert_eq!(scene.explain(&fault).to_string(), sentence);
}

#[test]
fn null_and_what_lies_behind_it() {
    let scene = scene();
    for (address, access, sentence) in [
        (0, Read, "reading 0x0: a null pointer was followed"),
        (8, Write, "writing 0x8: NULL plus 8: a field of a null pointer"),
        (0, Execute, "executing 0x0: a null function pointer was called"),
        (
            usize::MAX - 7,
            Read,
            "reading 0xfffffffffffffff8: NULL minus 8: what would stand in front of a null pointer",
        ),
        (
            usize::MAX,
            Read,
            "reading 0xffffffffffffffff: (void *) -1: mmap or shmat failed, and nobody checked what \
             it returned",
        ),
    ] {
        says(&scene, segv(Cause::Unmapped, address, access), sentence);
    }
}

/// What a test machine cannot be made to do on demand, or only one processor does.
#[test]
fn what_is_rare_has_a_sentence_too() {
    let scene = scene();
    let end = |fault, words: &str| {
        let sentence = scene.explain(&fault).to_string();
        assert!(sentence.ends_with(words), "{sentence}");
    };
    let locked = segv(Cause::ProtectionKey, PLAIN, Read);
    end(locked, "is locked by a protection key: the thread has not unlocked it");
    // BUS_ADRALN, BUS_MCEERR_AR.
    end(bus(1, PLAIN + 1, Read), "a pointer was cast to a type that needs alignment");
    end(bus(4, PLAIN, Read), "was in memory that has failed: what stood there is lost");
    let nowhere = "no page can have this address: something was written over the pointer";
    // Bit 55 alone decides on aarch64, where the byte above it may be a tag of the program's.
    end(segv(Cause::Unmapped, 1 << 62 | 1 << 55, Read), nowhere);
    end(
        segv(Cause::NonCanonical, 0, Unknown),
        "no page can have it: something was written over the pointer (or an instruction such as \
         movaps met a misaligned one)",
    );
    end(segv(Cause::Unmapped, 0xffff_8000_0000_0000, Write), "never a program's pointer");
}

#[test]
fn text_is_read_only_and_so_are_constants() {
    let scene = scene();
    let write = |address| segv(Cause::Protection, address, Write);
    // Pages of 64 KiB at most: the page number depends, the file does not.
    let code = scene.explain(&write(0x5500_0001_0010));
    assert_eq!(code.mistake(), &Mistake::WriteToCode { what: page_of("prog", 0x10000) });
    assert!(code.to_string().ends_with("writing to text that is read-only"), "{code}");
    let constant = scene.explain(&write(0x5500_0000_0010));
    assert_eq!(constant.mistake(), &Mistake::WriteToConstant { what: "page 0 of prog".into() });
    says(
        &scene,
        write(NOTES),
        "writing 0x7f0000000000: page 0 of notes.dat is mapped read: the file was mapped for reading \
         only",
    );
    says(
        &scene,
        write(0x7f00_0040_0000),
        "writing 0x7f0000400000: anonymous memory is mapped read: it was made read-only",
    );
}

fn page_of(file: &str, offset: usize) -> String {
    format!("page {} of {file}", offset / ipc_common::PageSize::system().bytes())
}

#[test]
fn an_inode_alone_does_not_make_a_file_a_program() {
    // notes.dat has the inode of prog, on another device.
    let maps = String::from_utf8(MAPS.to_vec()).unwrap().replace("fe:00 9 ", "00:2a 7 ");
    let written = Scene::from_maps(maps.as_bytes()).explain(&segv(Cause::Protection, NOTES, Write));
    assert!(matches!(written.mistake(), Mistake::WriteToReadOnlyFile { .. }), "{written}");
}

#[test]
fn a_saved_list_need_not_be_one_that_a_kernel_of_this_machine_would_write() {
    let maps = b"100000-100801 rw-p 0 00:00 0\n200000-210000 rw-p 0 00:00 0 [stack]\n";
    let scene = Scene::from_maps(maps);
    assert_eq!(
        scene.outcome(0x10_0900, Write),
        Outcome::Refused { signal: Signal::SIGSEGV, cause: Cause::Unmapped }
    );
    let odd = Scene::from_maps(
        b"3000-1000 rw-p 0 0:0 0\n5000-9000 rw-p 0 0:0 0\n6000-7000 r--p 0 0:0 0\n",
    );
    assert_eq!(odd.mappings().len(), 1);
}

/// Lines of mappings close together, as no kernel would list them.
fn any_maps() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        Just(""),
        Just("/f"),
        Just("/f (deleted)"),
        Just("[stack]"),
        Just("[heap]"),
        Just("[vdso]")
    ];
    let line = (
        0x10_0000..0x14_0000_usize,
        0..0x2_0000_usize,
        "[r-][w-][x-][sp]",
        any::<u64>(),
        0..3_u64,
        name,
    )
        .prop_map(|(start, len, allowed, offset, inode, name)| {
            let end = start.saturating_add(len).wrapping_sub(0x100);
            format!("{start:x}-{end:x} {allowed} {offset:x} 0:{inode} {inode} {name}\n")
        });
    prop::collection::vec(line, 0..8).prop_map(|lines| lines.concat().into_bytes())
}

#[test]
fn data_is_not_code() {
    says(
        &scene(),
        segv(Cause::Protection, 0x5500_0004_0123, Execute),
        "executing 0x550000040123: the heap is mapped read write: this is data, and the pointer that \
         was called is no function's",
    );
}

#[test]
fn a_stack_that_grows_does_not_grow_code() {
    let called = scene().explain(&segv(Cause::Protection, 0x7ffc_ffff_fff8, Execute));
    assert!(matches!(called.mistake(), Mistake::DataExecuted { .. }), "{called}");
}

#[test]
fn a_file_that_was_truncated_is_told_from_one_that_never_was_so_long() {
    let page = ipc_common::PageSize::system().bytes();
    let fault = bus(2, NOTES + 3 * page, Read);
    let start = format!(
        "reading {:#x}: page 3 lies past the end of notes.dat, which has 100 bytes",
        NOTES + 3 * page
    );
    let now = with_notes(Some(100));
    says(&now, fault, &format!("{start}: someone truncated it, or mapped more than there is"));
    let had = now.clone().since(&with_notes(Some(9000)));
    says(&had, fault, &format!("{start} and had 9000: someone truncated it"));
    let never = now.clone().since(&now);
    says(&never, fault, &format!("{start} as before: more was mapped than there is"));
    let whole = with_notes(Some(4 * page as u64)).explain(&fault);
    assert_eq!(whole.mistake(), &Mistake::NoPageToBeHad { what: "page 3 of notes.dat".into() });
    let unknown = with_notes(None).explain(&fault);
    assert!(matches!(unknown.mistake(), Mistake::PerhapsPastEndOfFile { .. }));
    let huge = now.explain(&bus(2, 0x7f00_0050_0000, Read));
    assert_eq!(huge.mistake(), &Mistake::NoHugePage);
}

#[test]
fn how_far_outside_is_counted_from_the_first_byte_behind() {
    let scene = scene();
    let at = |address| segv(Cause::Unmapped, address, Write);
    says(
        &scene,
        at(0x5500_0006_0000),
        "writing 0x550000060000: just past the end of the heap: the index is too large",
    );
    says(
        &scene,
        at(0x5500_0006_0004),
        "writing 0x550000060004: 4 bytes past the end of the heap: the index is too large",
    );
    says(
        &scene,
        at(0x5500_0003_ffff),
        "writing 0x55000003ffff: 1 byte before the start of the heap: the index is negative",
    );
    says(
        &scene,
        at(0x6000_0000_0000),
        "writing 0x600000000000: nothing is mapped here (10 TiB past the end of the heap): it was \
         freed, or the pointer was never set, or was written over",
    );
}

#[test]
fn a_buffer_that_has_a_name_is_called_by_it() {
    let end = PLAIN + 0x10000;
    let scene = scene().object(end - 16..end, "a 16-byte buffer");
    says(
        &scene,
        segv(Cause::Protection, end + 4, Write),
        "writing 0x7f0000110004: 4 bytes past the end of a 16-byte buffer: the index is too large",
    );
    let before = Scene::from_maps(b"").object(PLAIN..PLAIN + 16, "a 16-byte buffer");
    says(
        &before,
        segv(Cause::Unmapped, PLAIN - 1, Read),
        "reading 0x7f00000fffff: 1 byte before the start of a 16-byte buffer: the index is negative",
    );
}

#[test]
fn what_was_there_earlier_was_freed() {
    let earlier = scene();
    let gone: Vec<u8> = MAPS
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"7f0000000000"))
        .flatten()
        .copied()
        .collect();
    let fault = segv(Cause::Unmapped, NOTES, Read);
    let now = Scene::from_maps(&gone);
    assert!(matches!(now.explain(&fault).mistake(), Mistake::NothingHere { .. }));
    says(
        &now.since(&earlier),
        fault,
        "reading 0x7f0000000000: freed: nothing is mapped here any more; it was page 0 of notes.dat",
    );
}

#[test]
fn an_overflow_is_told_by_the_stack_pointer() {
    let overflowed = Mistake::StackOverflow { certain: true };
    let main = segv(Cause::Unmapped, 0x7ffc_ffff_fff8, Write);
    assert_eq!(scene().explain(&main).mistake(), &overflowed);
    let guard = segv(Cause::Protection, 0x7f00_0020_fff8, Write);
    assert_eq!(scene().stack_pointer(0x7f00_0021_0010).explain(&guard).mistake(), &overflowed);
    let unknown = scene().explain(&guard);
    assert_eq!(unknown.mistake(), &Mistake::StackOverflow { certain: false });
    // This thread's own stack is another one; or it is this one, and has not got that far.
    let no_access = Mistake::NoAccess { what: "anonymous memory".into() };
    let middle = segv(Cause::Protection, 0x7f00_0020_8000, Write);
    for (fault, pointer) in [(guard, 0x7ffd_0001_0000), (middle, 0x7f00_0022_ff00)] {
        let elsewhere = scene().stack_pointer(pointer).explain(&fault);
        assert_eq!(elsewhere.mistake(), &no_access, "{pointer:#x}");
    }
    let below = segv(Cause::Unmapped, 0x7ffc_fff8_0000, Write);
    assert_eq!(scene().explain(&below).mistake(), &overflowed);
    let far = scene().stack_pointer(0x7ffd_0001_0000).explain(&below);
    assert!(matches!(far.mistake(), Mistake::NothingHere { .. }), "{far}");
}

#[test]
fn a_guard_page_is_known_by_what_it_guards() {
    let after = scene().explain(&segv(Cause::Protection, 0x7f00_0011_0008, Write));
    assert_eq!(
        after.mistake(),
        &Mistake::PastEndInGuard { bytes: 8, what: "anonymous memory".into() }
    );
    let inside = scene().explain(&segv(Cause::Unmapped, PLAIN, Write));
    assert!(matches!(inside.mistake(), Mistake::GuardPage { .. }), "{inside}");
    let changed = scene().explain(&segv(Cause::Protection, PLAIN, Write));
    assert!(matches!(changed.mistake(), Mistake::AllowedNow { .. }), "{changed}");
    let run_only = scene().explain(&segv(Cause::ProtectionKey, 0x7f00_0030_0000, Read));
    assert!(matches!(run_only.mistake(), Mistake::ReadOfExecuteOnly { .. }), "{run_only}");
}

#[test]
fn a_string_written_over_a_pointer_can_be_read_in_it() {
    let address = usize::from_ne_bytes(*b"hello\0\0\0");
    says(
        &scene(),
        segv(Cause::Unmapped, address, Read),
        &format!(
            "reading {address:#x}: its bytes are the text \"hello\": a string was written over the \
             pointer"
        ),
    );
}

#[test]
fn an_address_that_is_not_told_is_not_invented() {
    for fault in [segv(Cause::NonCanonical, 0, Unknown), bus(1, 0, Unknown)] {
        let sentence = scene().explain(&fault).to_string();
        assert!(sentence.starts_with("touching an address that the processor does not tell: "));
    }
    let told = scene().explain(&bus(1, 0x1001, Read)).to_string();
    assert!(told.starts_with("reading 0x1001: it is no multiple"), "{told}");
}

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
    let code = null_and_what_lies_behind_it as fn() as usize;
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

proptest! {
    #[test]
    fn whatever_is_reported_becomes_one_sentence(
        on_bus: bool,
        code in prop_oneof![-20..130, any::<i32>()],
        address in prop_oneof![
            any::<usize>(),
            0..70_000_usize,
            NOTES - 70_000..NOTES + 0x60_0000,
            0x54ff_ffff_0000..0x5500_0007_0000_usize,
            0x7ffc_ffe0_0000..0x7ffd_000c_0000_usize,
            usize::MAX - 70_000..=usize::MAX,
        ],
        access in prop_oneof![Just(Read), Just(Write), Just(Execute), Just(Unknown)],
        stack_pointer: Option<usize>,
        object: (usize, usize),
        len: Option<u64>,
    ) {
        let signal = if on_bus { Signal::SIGBUS } else { Signal::SIGSEGV };
        let fault = Fault::reported(signal, code, address, access);
        let object = object.0.min(object.1)..object.0.max(object.1);
        let mut scene = with_notes(len).object(object, "a buffer").since(&scene());
        scene.stack_pointer = stack_pointer;
        let sentence = scene.explain(&fault).to_string();
        prop_assert!(!sentence.contains('\n') && sentence.contains(": "), "{}", sentence);
        let _ = (scene.place(address).to_string(), scene.outcome(address, access).to_string());
    }

    #[test]
    fn whatever_list_somebody_saved_has_an_answer_for_every_address(
        maps in any_maps(),
        earlier in any_maps(),
        address in 0xf_0000..0x17_0000_usize,
        access in prop_oneof![Just(Read), Just(Write), Just(Execute), Just(Unknown)],
        stack_pointer in prop::option::of(0xf_0000..0x17_0000_usize),
        code in 1..6,
        on_bus: bool,
    ) {
        let mut scene = Scene::from_maps(&maps).since(&Scene::from_maps(&earlier));
        scene.stack_pointer = stack_pointer;
        let signal = if on_bus { Signal::SIGBUS } else { Signal::SIGSEGV };
        let sentence = scene.explain(&Fault::reported(signal, code, address, access)).to_string();
        prop_assert!(sentence.contains(": "), "{}", sentence);
        let _ = (scene.place(address).to_string(), scene.outcome(address, access).to_string());
    }
}
