//! Whatever is reported, of whatever list.

use proptest::prelude::*;

use super::*;

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
