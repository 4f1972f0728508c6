//! The routine on aarch64.

use core::arch::naked_asm;

use super::landing::Record;

/// The routine's code occupies as many bytes as this, filled up behind, so that "is this program
/// counter in the routine?" needs no second label.
const WINDOW: usize = 512;

/// Copies, and returns how many bytes are left: 0, unless a fault was landed.
#[inline]
pub(super) unsafe fn copy(src: *const u8, dst: *mut u8, len: usize, record: *mut Record) -> usize {
    // SAFETY: the caller's promises are exactly those of `raw`.
    unsafe { raw(dst, src, len, record) }
}

/// Where to go on if a fault stopped the routine at `pc`; `None` if `pc` is not in it.
pub(super) fn pad_for(pc: usize) -> Option<usize> {
    let start = raw as *const () as usize;
    (pc.wrapping_sub(start) < WINDOW).then_some(pad as *const () as usize)
}

/// Where a copy goes on that a fault stopped: it returns what x2 says is left. The link register
/// is as it was when `raw` was entered, so `ret` leads to `raw`'s caller.
///
/// # Safety
///
/// - Never called, only jumped to, by `landing::land`, out of `raw`.
#[unsafe(naked)]
unsafe extern "C" fn pad() {
    naked_asm!("mov x0, x2", "ret")
}

/// `dst` is in x0, `src` in x1, `len` in x2, and `record` in x3, which keeps its value.
///
/// # Safety
///
/// - As for `copy`.
#[unsafe(naked)]
#[rustfmt::skip] // loads beside loads, stores beside stores
unsafe extern "C" fn raw(
    dst: *mut u8, src: *const u8, len: usize, record: *mut Record,
) -> usize {
    naked_asm!(
        "90:",
        // Both ends, for the moves that are placed from the back.
        "add x4, x1, x2", "add x5, x0, x2",
        "cmp x2, #32",
        "b.lo 5f",

        "2:",
        "cmp x2, #64",
        "b.ls 3f",
        "ldp q0, q1, [x1]", "ldp q2, q3, [x1, #32]",
        "stp q0, q1, [x0]", "stp q2, q3, [x0, #32]",
        "add x1, x1, #64", "add x0, x0, #64", "sub x2, x2, #64",
        "b 2b",
        // 1..=64 are left. The last 32 may reach back into what has been
        // copied already: there were at least 32 to begin with.
        "3:",
        "cmp x2, #32",
        "b.ls 4f",
        "ldp q0, q1, [x1]",
        "stp q0, q1, [x0]",
        "4:",
        "ldp q0, q1, [x4, #-32]",
        "stp q0, q1, [x5, #-32]",
        "mov x0, xzr",
        "ret",

        // 16..=31, then 8..=15: one move from each end, overlapping.
        "5:",
        "tbz x2, #4, 6f",
        "ldr q0, [x1]", "ldr q1, [x4, #-16]",
        "str q0, [x0]", "str q1, [x5, #-16]",
        "mov x0, xzr",
        "ret",
        "6:",
        "tbz x2, #3, 7f",
        "ldr x6, [x1]", "ldr x7, [x4, #-8]",
        "str x6, [x0]", "str x7, [x5, #-8]",
        "mov x0, xzr",
        "ret",

        // 0..=7
        "7:",
        "cbz x2, 8f",
        "ldrb w6, [x1], #1",
        "strb w6, [x0], #1",
        "sub x2, x2, #1",
        "b 7b",
        "8:",
        "mov x0, xzr",
        "ret",

        // Does not assemble if the code has outgrown its window.
        ".org 90b + {window}",
        window = const WINDOW,
    )
}
