//! The registers of aarch64, and the record in which the kernel passes on the syndrome.

use std::ptr;

use libc::mcontext_t;

use crate::fault::Access;

/// `__reserved` at the end of `mcontext_t` (asm/sigcontext.h): records, each with its magic number
/// and size in front, up to one of zeros.
const RESERVED: usize = 4096;
/// `ESR_MAGIC`: the record that holds the exception syndrome, 64 bits after the eight of its head.
const ESR: u32 = 0x4553_5201;

/// Nothing to be done here.
pub(super) fn settle() {}

pub(super) fn program_counter(registers: &mcontext_t) -> usize {
    registers.pc as usize
}

pub(super) fn go_on_at(registers: &mut mcontext_t, address: usize) {
    registers.pc = address as u64;
}

pub(super) fn landing_record(registers: &mcontext_t) -> usize {
    registers.regs[3] as usize
}

pub(super) fn access(registers: &mcontext_t) -> Access {
    syndrome(registers).map_or(Access::Unknown, decode)
}

/// The kernel leaves the record out if the thread has never faulted.
fn syndrome(registers: &mcontext_t) -> Option<u64> {
    let all = ptr::from_ref(registers).cast::<u8>();
    // SAFETY: the last bytes of a reference's own memory, initialised by the kernel.
    let records = unsafe {
        std::slice::from_raw_parts(all.add(size_of::<mcontext_t>() - RESERVED), RESERVED)
    };
    find(records)
}

/// Written without an index: whatever the bytes are, nothing here can panic.
fn find(mut records: &[u8]) -> Option<u64> {
    loop {
        let (magic, rest) = records.split_first_chunk::<4>()?;
        let (size, body) = rest.split_first_chunk::<4>()?;
        let size = u32::from_ne_bytes(*size) as usize;
        match u32::from_ne_bytes(*magic) {
            ESR => return body.first_chunk().map(|esr| u64::from_ne_bytes(*esr)),
            0 => return None,
            _ if size < 8 => return None,
            _ => records = records.get(size..)?,
        }
    }
}

/// Arm's manual, ESR_EL1: the exception class in bits 26 to 31, and for data aborts "write, not
/// read" in bit 6.
const fn decode(esr: u64) -> Access {
    match (esr >> 26) & 0x3f {
        0x20 | 0x21 => Access::Execute,
        0x24 | 0x25 if esr & (1 << 6) != 0 => Access::Write,
        0x24 | 0x25 => Access::Read,
        _ => Access::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_walk_panic_or_run_out(bytes: Vec<u8>) {
            let _ = find(&bytes);
        }
    }

    #[test]
    fn the_syndrome_is_found_behind_other_records() {
        let mut records = Vec::new();
        for (magic, size, body) in
            [(0x4650_8001_u32, 24_u32, [7_u64; 2].as_slice()), (ESR, 16, &[0x9200_0046])]
        {
            records.extend(magic.to_ne_bytes());
            records.extend(size.to_ne_bytes());
            body.iter().for_each(|word| records.extend(word.to_ne_bytes()));
        }
        assert_eq!(find(&records).map(decode), Some(Access::Write));
        assert_eq!(find(&records[..24]), None);
    }
}
