//! The sentences, on made-up processes and on this one.

mod anything;
mod neighbours;
mod outcomes;
mod sentences;

use nix::sys::signal::Signal;

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
