//! Long texts that need not be sent: the labs' drivers make them by the same rule.

/// The text that a driver makes of a LENGTH and a SEED (`prepare`, `send-made`). No byte is 0.
pub(super) fn made(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        // xorshift64 (Marsaglia, 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8 | 1
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// FNV-1a, 64 bits: what a driver tells of a long text instead of the text.
#[cfg(feature = "hidden")]
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
