//! Copies that end in the middle: whatever the length, the alignment and the place of the edge,
//! the bytes reported as good are in place, and all that could be. Run on x86-64, on aarch64 (under
//! qemu, too), and with `--cfg portable_copy` for the probes without assembly.

use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::ptr::NonNull;

use ipc_common::view::landing;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, mprotect, munmap};
use nix::unistd::ftruncate;

use super::{CutShort, elsewhere};
use crate::{Access, Cause};

/// A multiple of every page size.
const PART: usize = 65_536;

/// `PART` bytes that are there, followed by `PART` that are not.
struct Cliff(NonNull<c_void>);

const OPEN: ProtFlags = ProtFlags::PROT_READ.union(ProtFlags::PROT_WRITE);
const BOTH: NonZeroUsize = NonZeroUsize::new(2 * PART).unwrap();

impl Cliff {
    fn protected() -> Cliff {
        // SAFETY: new memory, whose second part is closed before anyone looks at it.
        unsafe {
            let start = mmap_anonymous(None, BOTH, OPEN, MapFlags::MAP_PRIVATE).unwrap();
            mprotect(start.byte_add(PART), PART, ProtFlags::PROT_NONE).unwrap();
            Cliff(start)
        }
    }

    fn end_of_file() -> Cliff {
        let file = memfd_create("cliff", MFdFlags::empty()).unwrap();
        ftruncate(&file, PART as i64).unwrap();
        // SAFETY: a new mapping; nobody else has the file.
        Cliff(unsafe { mmap(None, BOTH, OPEN, MapFlags::MAP_SHARED, &file, 0).unwrap() })
    }

    /// The first address that is not there.
    fn edge(&self) -> *mut u8 {
        // SAFETY: in the middle of the mapping.
        unsafe { self.0.byte_add(PART).cast().as_ptr() }
    }
}

impl Drop for Cliff {
    fn drop(&mut self) {
        // SAFETY: our own mapping, which the test has done with.
        unsafe { munmap(self.0, 2 * PART).unwrap() };
    }
}

/// Bytes that repeat nowhere within a copy, and are never the canary.
fn pattern(len: usize) -> Vec<u8> {
    let next = |state: &u64| Some(state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1));
    let byte = |state: u64| ((state >> 56) as u8).min(0xfe);
    std::iter::successors(Some(7), next).map(byte).take(len).collect()
}

const CANARY: u8 = 0xff;

type Copy = unsafe fn(*const u8, *mut u8, usize) -> Result<(), CutShort>;

/// Copies `len` bytes of which `there` are, off the cliff and onto it.
fn check(copy: Copy, cliff: &Cliff, len: usize, there: usize, shift: usize) -> [CutShort; 2] {
    let bytes = pattern(len);
    let source = cliff.edge().wrapping_sub(there);
    // SAFETY: `there` bytes before the edge are the cliff's, and nobody else uses it.
    unsafe { source.copy_from(bytes.as_ptr(), there) };
    let mut all = vec![CANARY; shift + len + 64];
    // SAFETY: the memory at `source` is the cliff's, or not there; `all` is ours, and larger.
    let cut = unsafe { copy(source, all.as_mut_ptr().add(shift), len) }.unwrap_err();
    let what = format!("{there} of {len} bytes to +{shift}: {cut}");
    assert_eq!(cut.good, there, "{what}");
    assert_eq!(all[shift..][..cut.good], bytes[..cut.good], "{what}");
    assert!(all[..shift].iter().chain(&all[shift + len..]).all(|b| *b == CANARY), "{what}");
    assert!(all[shift + there..].iter().all(|byte| *byte == CANARY), "out of nothing: {what}");

    let mut shifted = vec![CANARY; shift];
    shifted.extend(&bytes);
    // SAFETY: likewise; what is written is the cliff's.
    let into = unsafe {
        source.sub(8).write_bytes(CANARY, there + 8);
        copy(shifted.as_ptr().add(shift), source, len)
    }
    .unwrap_err();
    // SAFETY: these bytes are there, and the copy is over.
    let arrived = unsafe { std::slice::from_raw_parts(source.sub(8), there + 8) };
    let what = format!("{there} of {len} bytes from +{shift}: {into}");
    assert_eq!(into.good, there, "{what}");
    assert_eq!(arrived[8..][..into.good], bytes[..into.good], "{what}");
    assert!(arrived[..8].iter().all(|byte| *byte == CANARY), "before the start: {what}");
    [cut, into]
}

fn with_net(from: *const u8, to: *mut u8, len: usize) -> Result<(), CutShort> {
    // SAFETY: `check` keeps the promises.
    unsafe { super::try_copy(from, to, len) }
}

fn every_cut(cliff: &Cliff, cause: Cause) {
    crate::install().unwrap();
    let (longest, stride) = if testkit::soak(0, 1) == 0 { (300, 7) } else { (600, 1) };
    for len in 1..=longest {
        for there in (len % stride..len).step_by(stride) {
            for cut in check(with_net, cliff, len, there, (len + there) % 32) {
                assert_eq!(
                    cut.fault.cause(),
                    if landing::SUPPORTED { cause } else { Cause::Untold }
                );
            }
        }
    }
    for len in [4095, 4096, 4097, 8192, 20_000, 60_000] {
        for there in [0, 1, 15, 16, 63, 64, 127, 128, len / 2, len - 65, len - 1] {
            let cuts = check(with_net, cliff, len, there, there % 5);
            let edge = cliff.edge().addr();
            for (cut, access) in cuts.into_iter().zip([Access::Read, Access::Write]) {
                let address = cut.fault.address().unwrap();
                assert!((edge..edge - there + len).contains(&address), "{cut}, edge {edge:#x}");
                // A kernel may leave out the syndrome, as qemu 7 does.
                let told = cfg!(target_arch = "x86_64") || cut.fault.access() != Access::Unknown;
                assert!(cut.fault.access() == access || !told, "{cut}");
            }
        }
    }
}

#[test]
fn a_copy_that_meets_a_forbidden_page_reports_a_correct_prefix() {
    every_cut(&Cliff::protected(), Cause::Protection);
}

#[test]
fn a_copy_that_meets_the_end_of_a_file_reports_a_correct_prefix() {
    every_cut(&Cliff::end_of_file(), Cause::PastEndOfFile);
}

#[test]
#[cfg_attr(target_arch = "aarch64", ignore = "qemu-aarch64 has no process_vm_readv")]
fn the_kernels_copy_reports_exactly_what_was_there() {
    let copy: Copy = |from, to, len| {
        // SAFETY: `check` keeps the promises.
        unsafe { elsewhere::copy(from, to, len) }
    };
    for cliff in [Cliff::protected(), Cliff::end_of_file()] {
        for (len, there) in [(1, 0), (100, 1), (100, 99), (4097, 4096), (20_000, 12_345)] {
            let cuts = check(copy, &cliff, len, there, 3);
            for (cut, access) in cuts.into_iter().zip([Access::Read, Access::Write]) {
                assert_eq!(cut.fault.cause(), Cause::Untold);
                assert_eq!(cut.fault.access(), access);
                assert_eq!(cut.fault.address(), Some(cliff.edge().addr()));
            }
        }
        let bytes = pattern(10_000);
        let mut copied = vec![0; 10_000];
        // SAFETY: two vectors of ours.
        unsafe { elsewhere::copy(bytes.as_ptr(), copied.as_mut_ptr(), 10_000) }.unwrap();
        assert_eq!(copied, bytes);
    }
}

#[test]
fn a_chain_of_errors_names_the_fault_once() {
    let guard = crate::install().unwrap();
    // SAFETY: no Rust value lies in the first page of an address space.
    let cut = unsafe { guard.read(std::ptr::without_provenance(8), &mut [0; 4]) }.unwrap_err();
    let first: &dyn std::error::Error = &cut;
    let chain: Vec<_> = std::iter::successors(Some(first), |error| error.source()).collect();
    let all = chain.iter().map(ToString::to_string).collect::<Vec<_>>().join(": ");
    assert_eq!(all.matches(&cut.fault.to_string()).count(), 1, "{all}");
}
