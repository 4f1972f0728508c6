//! What lies beside an address, or lay there: ends, stacks, guard pages.

use super::*;

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

/// The list has no tags, and a program may have one in each pointer.
#[test]
#[cfg(target_arch = "aarch64")]
fn a_tag_in_the_top_byte_does_not_move_the_address() {
    const TAG: usize = 0x9d << 56;
    let end = PLAIN + 0x10000;
    let plain = scene().object(end - 16..end, "a 16-byte buffer");
    for address in [0x5500_0006_0004, 0x5500_0003_ffff, 0x6000_0000_0000, end + 4, NOTES] {
        let why = |address| plain.explain(&segv(Cause::Unmapped, address, Write)).to_string();
        let (tagged, untagged) = (why(TAG | address), why(address));
        let after = |text: &str| text.split_once(": ").map(|(_, why)| why.to_owned());
        assert_eq!(after(&tagged), after(&untagged), "{address:#x}");
    }
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
