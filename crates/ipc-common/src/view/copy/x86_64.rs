//! The routine on x86-64.

use core::arch::naked_asm;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::landing::Record;

/// The routine's code occupies as many bytes as this, filled up behind, so that "is this program
/// counter in the routine?" needs no second label.
const WINDOW: usize = 512;

/// Whether the processor has AVX: [`UNKNOWN`] until a copy that could use it asks.
static AVX: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 2;

/// Copies, and returns how many bytes are left: 0, unless a fault was landed.
#[inline(always)]
pub(super) unsafe fn copy(src: *const u8, dst: *mut u8, len: usize, record: *mut Record) -> usize {
    // SAFETY: the caller's promises are exactly those of `raw`.
    unsafe { raw(dst, src, 0, len, record) }
}

/// Asks the processor, and begins anew: `raw` jumps here before it has done anything.
///
/// # Safety
///
/// - As for `copy`.
#[cold]
unsafe extern "sysv64" fn ask_first(
    dst: *mut u8,
    src: *const u8,
    _zero: usize,
    len: usize,
    record: *mut Record,
) -> usize {
    AVX.store(u8::from(std::is_x86_feature_detected!("avx")), Relaxed);
    // SAFETY: the caller's promises.
    unsafe { raw(dst, src, 0, len, record) }
}

/// Where to go on if a fault stopped the routine at `pc`; `None` if `pc` is not in it.
pub(super) fn pad_for(pc: usize) -> Option<usize> {
    let start = raw as *const () as usize;
    (pc.wrapping_sub(start) < WINDOW).then_some(pad as *const () as usize)
}

/// Where a copy goes on that a fault stopped: it returns what `rcx` says is left. The stack is as
/// it was when `raw` was entered, so `ret` leads to `raw`'s caller.
///
/// # Safety
///
/// - Never called, only jumped to, by `landing::land`, out of `raw`.
#[unsafe(naked)]
unsafe extern "sysv64" fn pad() {
    naked_asm!(
        "mov rax, rcx",
        // With AVX in use, tidy up as the last line of `raw` does.
        "test dl, dl",
        "jz 2f",
        "vzeroupper",
        "2:",
        "ret",
    )
}

/// The arguments come in the registers in which they are wanted: the count in `rcx`, which `rep movsb`
/// counts down (`rdi` and `rsi` are its, too), the record in `r8`, and a zero in `rdx`. `dl` and `r8` keep
/// their values from before the first access on, so that at any instruction that can fault they tell
/// whether AVX is in use and where the record is.
///
/// # Safety
///
/// - As for `copy`.
/// - `zero` is 0: `pad` would tidy up after an AVX that is not there.
#[unsafe(naked)]
#[rustfmt::skip] // loads beside loads, stores beside stores
unsafe extern "sysv64" fn raw(
    dst: *mut u8, src: *const u8, zero: usize, len: usize, record: *mut Record,
) -> usize {
    naked_asm!(
        "90:",
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
        "xor eax, eax",
        "ret",

        // 8..=15, then 4..=7: likewise, one move from each end.
        "3:",
        "cmp ecx, 8",
        "jb 3f",
        "mov rax, [rsi]", "mov r9, [rsi + rcx - 8]",
        "mov [rdi], rax", "mov [rdi + rcx - 8], r9",
        "xor eax, eax",
        "ret",
        "3:",
        "cmp ecx, 4",
        "jb 3f",
        "mov eax, [rsi]", "mov r9d, [rsi + rcx - 4]",
        "mov [rdi], eax", "mov [rdi + rcx - 4], r9d",
        "xor eax, eax",
        "ret",

        // 0..=3: the first, the middle and the last, which may coincide.
        "3:",
        "test ecx, ecx",
        "jz 4f",
        "mov r9d, ecx", "shr r9d",
        "movzx eax, byte ptr [rsi]", "movzx r10d, byte ptr [rsi + r9]",
        "movzx r11d, byte ptr [rsi + rcx - 1]",
        "mov [rdi], al", "mov [rdi + r9], r10b",
        "mov [rdi + rcx - 1], r11b",
        "4:",
        "xor eax, eax",
        "ret",

        // More than 64. Up to 16 KiB, a loop of vector moves is the faster
        // one. Above, `rep movsb` has paid off its start-up; and when source
        // and target fill a first-level cache, it beats the loop. Where there
        // is no AVX it takes over: slower to start, never wrong. It counts
        // rcx down by itself, and the ABI has cleared the flag that would
        // make it run downwards.
        "5:",
        "cmp rcx, {longest}",
        "ja 5f",
        "movzx eax, byte ptr [rip + {avx}]",
        "cmp al, 1",
        "je 6f",
        "ja 4f",
        "5:",
        "rep movsb",
        "xor eax, eax",
        "ret",
        // Nobody has asked yet.
        "4:",
        "jmp {ask_first}",

        "6:",
        "mov edx, eax",
        "cmp rcx, 256",
        "jb 6f",
        // The first 64, wherever they lie; then on from the target's next
        // cache line: a store that straddles two costs as much as two.
        "vmovups ymm0, [rsi]", "vmovups ymm1, [rsi + 32]",
        "vmovups [rdi], ymm0", "vmovups [rdi + 32], ymm1",
        "mov eax, edi", "neg eax", "and eax, 63",
        "add rsi, rax", "add rdi, rax", "sub rcx, rax",
        "jmp 7f",
        "6:",
        "cmp ecx, 128",
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
        "xor eax, eax",
        "ret",

        // Does not assemble if the code has outgrown its window.
        ".org 90b + {window}",
        window = const WINDOW,
        longest = const (16 << 10) - 1,
        avx = sym AVX,
        ask_first = sym ask_first,
    )
}
