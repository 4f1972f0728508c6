//! The sum of many bytes: one loop for all contenders.
//!
//! Whoever compares read(2) with mmap(2) has to do the same work with the bytes on both sides, and
//! as fast as the processor can: a loop that the compiler vectorises on one side only, or on
//! neither, measures itself. So this one is vectorised by hand, is never inlined, and every
//! contender calls it.

/// The sum of the bytes.
pub fn of(bytes: &[u8]) -> u64 {
    // SAFETY: a slice is readable, and nobody writes to it meanwhile.
    unsafe { at(bytes.as_ptr(), bytes.len()) }
}

/// The sum of the bytes from `start` on.
///
/// # Safety
///
/// - `len` bytes from `start` on can be read;
/// - nobody writes to them meanwhile. (Of a mapped file: nobody else has the file open, or it has no
///   name and nobody can.)
#[inline(never)]
pub unsafe fn at(start: *const u8, len: usize) -> u64 {
    const STEP: usize = 64;
    let (steps, rest) = (len / STEP, len % STEP);
    let mut sum = Lanes::zero();
    for step in 0..steps {
        // SAFETY: the caller's bytes, of which this step is not the last `rest`.
        unsafe { sum.add(start.add(step * STEP)) };
    }
    let mut total = sum.total();
    for at in steps * STEP..steps * STEP + rest {
        // SAFETY: at < len.
        total += u64::from(unsafe { start.add(at).read() });
    }
    total
}

/// Four partial sums side by side, so that no addition waits for the one before.
#[cfg(target_arch = "x86_64")]
struct Lanes([core::arch::x86_64::__m128i; 4]);

#[cfg(target_arch = "x86_64")]
impl Lanes {
    fn zero() -> Lanes {
        // SAFETY: every x86-64 has SSE2.
        Lanes([unsafe { core::arch::x86_64::_mm_setzero_si128() }; 4])
    }

    /// # Safety
    ///
    /// 64 bytes from `from` on can be read.
    #[inline(always)]
    unsafe fn add(&mut self, from: *const u8) {
        use core::arch::x86_64::{_mm_add_epi64, _mm_loadu_si128, _mm_sad_epu8, _mm_setzero_si128};
        for (lane, sum) in self.0.iter_mut().enumerate() {
            // SAFETY: SSE2 is there; the bytes are the caller's. `sad` against zero adds eight
            // bytes at a time into 64 bits.
            unsafe {
                let bytes = _mm_loadu_si128(from.add(16 * lane).cast());
                *sum = _mm_add_epi64(*sum, _mm_sad_epu8(bytes, _mm_setzero_si128()));
            }
        }
    }

    fn total(self) -> u64 {
        // SAFETY: two u64 have the size of a register, and every pattern of bits is one.
        self.0.into_iter().flat_map(|sum| unsafe { core::mem::transmute::<_, [u64; 2]>(sum) }).sum()
    }
}

#[cfg(target_arch = "aarch64")]
struct Lanes([core::arch::aarch64::uint64x2_t; 4]);

#[cfg(target_arch = "aarch64")]
impl Lanes {
    fn zero() -> Lanes {
        // SAFETY: every aarch64 that runs Linux has NEON.
        Lanes([unsafe { core::arch::aarch64::vdupq_n_u64(0) }; 4])
    }

    /// # Safety
    ///
    /// 64 bytes from `from` on can be read.
    #[inline(always)]
    unsafe fn add(&mut self, from: *const u8) {
        use core::arch::aarch64::{vld1q_u8, vpadalq_u32, vpaddlq_u8, vpaddlq_u16};
        for (lane, sum) in self.0.iter_mut().enumerate() {
            // SAFETY: NEON is there; the bytes are the caller's.
            unsafe {
                let bytes = vld1q_u8(from.add(16 * lane));
                *sum = vpadalq_u32(*sum, vpaddlq_u16(vpaddlq_u8(bytes)));
            }
        }
    }

    fn total(self) -> u64 {
        // SAFETY: NEON is there.
        self.0.into_iter().map(|sum| unsafe { core::arch::aarch64::vaddvq_u64(sum) }).sum()
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
struct Lanes(u64);

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
impl Lanes {
    fn zero() -> Lanes {
        Lanes(0)
    }

    /// # Safety
    ///
    /// 64 bytes from `from` on can be read.
    #[inline(always)]
    unsafe fn add(&mut self, from: *const u8) {
        // SAFETY: the bytes are the caller's.
        let bytes = unsafe { core::slice::from_raw_parts(from, 64) };
        self.0 += u64::from(bytes.iter().map(|byte| u16::from(*byte)).sum::<u16>());
    }

    fn total(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_the_sum_of_all_bytes_at_any_length_and_place() {
        let bytes: Vec<u8> =
            (0..1000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for from in [0, 1, 15, 63] {
            for len in [0, 1, 63, 64, 65, 127, 128, 900] {
                let part = &bytes[from..from + len];
                let naive: u64 = part.iter().map(|byte| u64::from(*byte)).sum();
                assert_eq!(super::of(part), naive, "{len} bytes from {from}");
            }
        }
        assert_eq!(super::of(&[255; 1 << 20]), 255 << 20);
    }
}
