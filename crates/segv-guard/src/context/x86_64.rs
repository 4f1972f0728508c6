//! The registers of x86-64.

use std::arch::asm;

use libc::{REG_ERR, REG_R8, REG_RIP, REG_TRAPNO, greg_t, mcontext_t};

use crate::fault::Access;

/// The exception that the error code belongs to: #PF (Intel's manual, volume 3, 6.15).
const PAGE_FAULT: greg_t = 14;
/// In a page fault's error code: it was a store.
const WRITE: greg_t = 1 << 1;
/// In a page fault's error code: it was an instruction fetch.
const FETCH: greg_t = 1 << 4;

/// A handler starts with the flags of the thread that it interrupts. One that checks the alignment
/// of every access (EFLAGS.AC, bit 18) would make the handler itself fault, again and again, where
/// compiled code copies a struct. Returning from the handler sets the flag again.
pub(super) fn settle() {
    // SAFETY: only the one bit is changed; the stack is as before.
    unsafe { asm!("pushfq", "and dword ptr [rsp], 0xfffbffff", "popfq") };
}

pub(super) fn program_counter(registers: &mcontext_t) -> usize {
    registers.gregs[REG_RIP as usize] as usize
}

pub(super) fn go_on_at(registers: &mut mcontext_t, address: usize) {
    registers.gregs[REG_RIP as usize] = address as greg_t;
}

pub(super) fn landing_record(registers: &mcontext_t) -> usize {
    registers.gregs[REG_R8 as usize] as usize
}

/// Bit 0 is of no use here: it says that there was a page table entry, not why it did not do.
pub(super) fn access(registers: &mcontext_t) -> Access {
    if registers.gregs[REG_TRAPNO as usize] != PAGE_FAULT {
        return Access::Unknown;
    }
    let error = registers.gregs[REG_ERR as usize];
    if error & FETCH != 0 {
        Access::Execute
    } else if error & WRITE != 0 {
        Access::Write
    } else {
        Access::Read
    }
}
