//! Copying bytes to or from memory that another process may write meanwhile.
//!
//! `ptr::copy_nonoverlapping` promises the compiler that nobody else touches
//! the bytes. For memory shared with a process we do not control, nobody can
//! keep that promise, and a broken one is undefined behaviour whatever the
//! processor would have done. Assembly is outside the compiler's rules; for
//! the processor, a racing copy just yields some mix of old and new bytes.
//!
//! Both versions keep one rule at every instruction that touches memory:
//!
//! > `rcx` (`x2`) is at least the number of bytes at the end of the range that
//! > are still to be copied; all bytes before those are in place.
//!
//! The rule is free, as the register only falls after the stores it counts,
//! and it lets whoever stops the copy half-way, say a handler for a fault in a
//! truncated file, tell how far it got. To the same end the code touches
//! neither the stack nor a register that its caller wants back, so that
//! returning to the caller is possible from any instruction.

#[cfg(test)]
mod tests;

/// Copies `len` bytes from `src` to `dst`, either of which may be written by
/// others during the copy.
///
/// The bytes arrive in no particular order, and each may be read or written
/// more than once: under a concurrent write the result can mix old and new
/// bytes. Nothing is implied about the order relative to other memory; where
/// that matters, pair the copy with an atomic (release after filling shared
/// memory, acquire before reading it).
///
/// # Safety
///
/// - `src` is valid for reads of `len` initialised bytes.
/// - `dst` is valid for writes of `len` bytes.
/// - The two ranges do not overlap, neither as addresses nor as two mappings
///   of the same memory.
/// - Both ranges stay mapped, and backed by their file, until the return.
/// - Threads of this process that access one of the ranges at the same time
///   do so only through this function or through atomics.
#[inline]
pub(super) unsafe fn copy(src: *const u8, dst: *mut u8, len: usize) {
    // SAFETY: the caller's promises are exactly those of `imp::copy`.
    unsafe { imp::copy(src, dst, len) }
}

#[cfg(all(target_arch = "x86_64", not(any(miri, portable_copy))))]
mod imp {
    use core::arch::naked_asm;

    #[inline]
    pub(super) unsafe fn copy(src: *const u8, dst: *mut u8, len: usize) {
        // The lengths the vector loop is for. Below, a handful of plain moves
        // do; above, `rep movsb` has paid off its start-up and beats the loop.
        // Other lengths are spared the look-up, and where there is no AVX,
        // `rep movsb` takes over: slower to start, never wrong.
        let vector = (65..4096).contains(&len) && std::is_x86_feature_detected!("avx");
        // SAFETY: the ranges are the caller's promise; AVX has been checked.
        unsafe { raw(dst, src, vector, len) }
    }

    /// The order of the arguments is chosen for their registers, `rdi`, `rsi`,
    /// `dl` and `rcx`: three of them are just where `rep movsb` wants them.
    /// `dl` keeps its value, so that it always tells whether AVX is in use.
    ///
    /// # Safety
    ///
    /// - As for `copy`.
    /// - `vector` only if the processor has AVX.
    #[unsafe(naked)]
    #[rustfmt::skip] // loads beside loads, stores beside stores
    unsafe extern "sysv64" fn raw(dst: *mut u8, src: *const u8, vector: bool, len: usize) {
        naked_asm!(
            "cmp rcx, 64",
            "ja 5f",
            "cmp ecx, 16",
            "jb 3f",

            // 16..=64: from both ends towards the middle, where the moves may
            // overlap. That spares a loop for the odd bytes.
            "movups xmm0, [rsi]", "movups xmm1, [rsi + rcx - 16]",
            "cmp ecx, 32",
            "jbe 2f",
            "movups xmm2, [rsi + 16]", "movups xmm3, [rsi + rcx - 32]",
            "movups [rdi + 16], xmm2", "movups [rdi + rcx - 32], xmm3",
            "2:",
            "movups [rdi], xmm0", "movups [rdi + rcx - 16], xmm1",
            "ret",

            // 8..=15, then 4..=7: likewise, one move from each end.
            "3:",
            "cmp ecx, 8",
            "jb 3f",
            "mov rax, [rsi]", "mov r8, [rsi + rcx - 8]",
            "mov [rdi], rax", "mov [rdi + rcx - 8], r8",
            "ret",
            "3:",
            "cmp ecx, 4",
            "jb 3f",
            "mov eax, [rsi]", "mov r8d, [rsi + rcx - 4]",
            "mov [rdi], eax", "mov [rdi + rcx - 4], r8d",
            "ret",

            // 0..=3: the first, the middle and the last, which may coincide.
            "3:",
            "test ecx, ecx",
            "jz 4f",
            "mov r8d, ecx", "shr r8d",
            "movzx eax, byte ptr [rsi]", "movzx r9d, byte ptr [rsi + r8]",
            "movzx r10d, byte ptr [rsi + rcx - 1]",
            "mov [rdi], al", "mov [rdi + r8], r9b",
            "mov [rdi + rcx - 1], r10b",
            "4:",
            "ret",

            // More than 64. `rep movsb` counts rcx down by itself, and the ABI
            // has cleared the flag that would make it run downwards.
            "5:",
            "test dl, dl",
            "jnz 6f",
            "rep movsb",
            "ret",

            "6:",
            "cmp rcx, 128",
            "jbe 8f",
            // The loop fits into one cache line, provided that 128 is added and
            // subtracted as -128, which, unlike 128, takes a single byte.
            ".p2align 6",
            "7:",
            "vmovups ymm0, [rsi]", "vmovups ymm1, [rsi + 32]",
            "vmovups ymm2, [rsi + 64]", "vmovups ymm3, [rsi + 96]",
            "vmovups [rdi], ymm0", "vmovups [rdi + 32], ymm1",
            "vmovups [rdi + 64], ymm2", "vmovups [rdi + 96], ymm3",
            "sub rsi, -128", "sub rdi, -128", "add rcx, -128",
            "cmp rcx, 128",
            "ja 7b",
            // 1..=128 are left. The last 64 may reach back into what has been
            // copied already: there were more than 64 to begin with.
            "8:",
            "cmp ecx, 64",
            "jbe 9f",
            "vmovups ymm0, [rsi]", "vmovups ymm1, [rsi + 32]",
            "vmovups [rdi], ymm0", "vmovups [rdi + 32], ymm1",
            "9:",
            "vmovups ymm0, [rsi + rcx - 64]", "vmovups ymm1, [rsi + rcx - 32]",
            "vmovups [rdi + rcx - 64], ymm0", "vmovups [rdi + rcx - 32], ymm1",
            // Upper halves left in use would slow down our callers' SSE code.
            "vzeroupper",
            "ret",
        )
    }
}

#[cfg(all(target_arch = "aarch64", not(any(miri, portable_copy))))]
mod imp {
    use core::arch::naked_asm;

    #[inline]
    pub(super) unsafe fn copy(src: *const u8, dst: *mut u8, len: usize) {
        // SAFETY: the caller's promises are exactly those of `raw`.
        unsafe { raw(dst, src, len) }
    }

    /// `dst` is in x0, `src` in x1, `len` in x2.
    ///
    /// # Safety
    ///
    /// - As for `copy`.
    #[unsafe(naked)]
    #[rustfmt::skip] // loads beside loads, stores beside stores
    unsafe extern "C" fn raw(dst: *mut u8, src: *const u8, len: usize) {
        naked_asm!(
            // Both ends, for the moves that are placed from the back.
            "add x3, x1, x2", "add x4, x0, x2",
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
            "ldp q0, q1, [x3, #-32]",
            "stp q0, q1, [x4, #-32]",
            "ret",

            // 16..=31, then 8..=15: one move from each end, overlapping.
            "5:",
            "tbz x2, #4, 6f",
            "ldr q0, [x1]", "ldr q1, [x3, #-16]",
            "str q0, [x0]", "str q1, [x4, #-16]",
            "ret",
            "6:",
            "tbz x2, #3, 7f",
            "ldr x5, [x1]", "ldr x6, [x3, #-8]",
            "str x5, [x0]", "str x6, [x4, #-8]",
            "ret",

            // 0..=7
            "7:",
            "cbz x2, 8f",
            "ldrb w5, [x1], #1",
            "strb w5, [x0], #1",
            "sub x2, x2, #1",
            "b 7b",
            "8:",
            "ret",
        )
    }
}

/// For all others, and for Miri, which does not run assembly: relaxed atomics.
/// They are single bytes, slow as that is, because racing atomics of different
/// sizes are undefined behaviour too, and nothing keeps two overlapping copies
/// from cutting the same memory into words differently.
#[cfg(any(miri, portable_copy, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod imp {
    use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

    pub(super) unsafe fn copy(src: *const u8, dst: *mut u8, len: usize) {
        for i in 0..len {
            // SAFETY: i < len, so the byte is within the caller's range, and
            // it is only loaded. (Of Miri's two aliasing models, only Tree
            // Borrows agrees if the caller's pointer came from a `&[u8]`.)
            let from = unsafe { AtomicU8::from_ptr(src.add(i).cast_mut()) };
            // SAFETY: likewise, and the caller's range may be written.
            let to = unsafe { AtomicU8::from_ptr(dst.add(i)) };
            to.store(from.load(Relaxed), Relaxed);
        }
    }
}
