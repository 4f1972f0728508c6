//! Every byte where it belongs, and no byte outside: all small lengths, all alignments, and up to
//! the very edge of a mapping. Run on x86-64, on aarch64 (under qemu, too), and with
//! `--cfg portable_copy` for the version without assembly.

use super::landing::copy;

/// Bytes on either side of the target that nothing may touch.
const MARGIN: usize = 192;

/// Bytes that repeat nowhere within a copy: a multiplicative walk, its high bits.
fn pattern(len: usize) -> Vec<u8> {
    let next = |state: &u64| Some(state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1));
    std::iter::successors(Some(7), next).map(|state| (state >> 56) as u8).take(len).collect()
}

/// Copies `len` bytes between the given offsets of two buffers, and looks at everything around.
fn check(source: &[u8], target: &mut [u8], from: usize, to: usize, len: usize) {
    let canary = (len as u8) ^ 0xa5;
    let window = &mut target[..MARGIN + to + len + MARGIN];
    window.fill(canary);
    let part = &source[from..from + len];
    // SAFETY: `part` is `len` bytes of one buffer, and the other has room for as many there.
    unsafe { copy(part.as_ptr(), window.as_mut_ptr().add(MARGIN + to), len) };
    let (front, rest) = window.split_at(MARGIN + to);
    let (body, back) = rest.split_at(len);
    assert!(body == part, "{len} bytes from +{from} to +{to}");
    assert!(front.iter().chain(back).all(|byte| *byte == canary), "{len} bytes to +{to}: outside");
}

#[test]
fn every_small_length_at_every_alignment() {
    let (source, mut target) = (pattern(800), vec![0; 1200]);
    // Strides without a common factor, begun elsewhere for each length, meet all pairs in time.
    let (sources, targets) = if testkit::soak(0, 1) == 0 { (7, 5) } else { (1, 1) };
    for len in 0..=600 {
        for from in (len % sources..64).step_by(sources) {
            for to in (len % targets..64).step_by(targets) {
                check(&source, &mut target, from, to, len);
            }
        }
    }
}

#[test]
fn lengths_around_the_changes_of_method() {
    let (source, mut target) = (pattern(70_000), vec![0; 70_600]);
    for len in [4095, 4096, 4097, 4159, 8191, 8192, 8193, 65_536, 65_537] {
        for from in [0, 1, 15, 16, 31, 32, 33, 63] {
            for to in [0, 1, 7, 32, 63] {
                check(&source, &mut target, from, to, len);
            }
        }
    }
}

/// Vector moves must not reach over the end of the memory, not even to read.
#[test]
#[cfg_attr(miri, ignore = "no mprotect in Miri")]
fn nothing_is_touched_beyond_the_edge_of_a_mapping() {
    use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, mprotect};
    use std::num::NonZeroUsize;

    const PART: usize = 65_536; // a multiple of every page size
    let island = || {
        let len = NonZeroUsize::new(3 * PART).unwrap();
        let (open, flags) = (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_PRIVATE);
        // SAFETY: new memory, of which the outer thirds are closed before anyone looks at it.
        unsafe {
            let start = mmap_anonymous(None, len, open, flags).unwrap();
            mprotect(start, PART, ProtFlags::PROT_NONE).unwrap();
            mprotect(start.byte_add(2 * PART), PART, ProtFlags::PROT_NONE).unwrap();
            start.byte_add(PART).cast::<u8>().as_ptr()
        }
    };
    let (source, target, bytes) = (island(), island(), pattern(PART));
    // SAFETY: both islands have PART bytes, and every range below lies in one of them.
    unsafe {
        source.copy_from(bytes.as_ptr(), PART);
        for len in (0..=600).chain([4095, 4096, 4097, 8192, PART]) {
            let end = PART - len;
            for (from, to) in [(end, end), (0, 0), (0, end), (end, 0)] {
                copy(source.add(from), target.add(to), len);
                let copied = std::slice::from_raw_parts(target.add(to), len);
                assert!(copied == &bytes[from..from + len], "{len} bytes from +{from} to +{to}");
            }
        }
    }
}
