//! One sentence for each mistake.

use super::*;

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
