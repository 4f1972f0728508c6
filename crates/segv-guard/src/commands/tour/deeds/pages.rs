//! Pages that are there, or were, and do not allow it.

use std::hint::black_box;

use ipc_common::Result;
use nix::sys::mman::{MapFlags, ProtFlags};

use super::{Act, Arranged, Deed, deed, refused};
use crate::commands::sys;

pub const DEEDS: &[Deed] = &[
    deed("freed-read", "*p, after munmap(p)", || freed(Act::Read)),
    deed("freed-write", "*p = 1, after munmap(p)", || freed(Act::Write)),
    deed("freed-call", "p(), after munmap(p)", || freed(Act::Call)),
    deed("none-read", "*p in a page without access (PROT_NONE)", || with(NONE, Act::Read)),
    deed("none-write", "*p = 1 in a page without access (PROT_NONE)", || with(NONE, Act::Write)),
    deed("none-call", "p() in a page without access (PROT_NONE)", || with(NONE, Act::Call)),
    deed("read-only-write", "*p = 1 in a page made read-only", || with(READ, Act::Write)),
    deed("read-only-call", "p() in a page made read-only", || with(READ, Act::Call)),
    deed("constant-write", "s[0] = 'H', where s = \"hello\"", || {
        Ok(Arranged::new(LITERAL.as_ptr().addr(), Act::Write))
    }),
    deed("code-write", "*p = 1, where p is a function", || {
        Ok(Arranged::new(freed as fn(_) -> _ as *const u8 as usize, Act::Write))
    }),
    deed("data-call", "p(), where p is an array", || with(OPEN, Act::Call)),
    deed("stack-call", "p(), where p is a local variable", || {
        let local = black_box([0_u8; 16]);
        Ok(Arranged::new(local.as_ptr().addr(), Act::Call))
    }),
    deed("execute-only-read", "*p in a page that is code only (PROT_EXEC)", execute_only),
    deed("key-read", "*p in a page that the thread has locked (pkeys)", key),
    deed("overrun", "buffer[20] = 1, where buffer has 16 bytes, a guard page behind", overrun),
    deed("straddle", "*(long *) p, four bytes before the end of the memory", straddle),
    deed("guard-read", "*p in a guarded page (MADV_GUARD_INSTALL)", || guarded(Act::Read)),
    deed("guard-write", "*p = 1 in a guarded page (MADV_GUARD_INSTALL)", || guarded(Act::Write)),
    deed("guard-call", "p() in a guarded page (MADV_GUARD_INSTALL)", || guarded(Act::Call)),
];

const NONE: ProtFlags = ProtFlags::PROT_NONE;
const READ: ProtFlags = ProtFlags::PROT_READ;
const OPEN: ProtFlags = ProtFlags::PROT_READ.union(ProtFlags::PROT_WRITE);

static LITERAL: [u8; 6] = *b"hello\0";

fn map(pages: usize, protection: ProtFlags) -> std::result::Result<usize, String> {
    sys::map(pages, protection, MapFlags::empty()).map_err(refused)
}

fn with(protection: ProtFlags, act: Act) -> std::result::Result<Arranged, String> {
    // Three pages, so that no mapping next to it joins with the one in the middle.
    let at = map(3, NONE)?;
    let middle = sys::page(at, 1);
    // SAFETY: pages of our own, in which there is nothing.
    unsafe { sys::protect(middle, 1, protection) }.map_err(refused)?;
    Ok(Arranged::new(middle + 16, act))
}

fn freed(act: Act) -> std::result::Result<Arranged, String> {
    let at = map(3, OPEN)?;
    Ok(Arranged::new(sys::page(at, 1), act).spoiled_by(|middle| {
        // SAFETY: the middle one of our pages, in which there is nothing.
        unsafe { sys::unmap(middle, 1) }
    }))
}

fn execute_only() -> std::result::Result<Arranged, String> {
    let at = map(1, ProtFlags::PROT_EXEC)?;
    if sys::is_readable(at) {
        return Err("this processor reads whatever it may execute".into());
    }
    Ok(Arranged::new(at, Act::Read))
}

fn key() -> std::result::Result<Arranged, String> {
    let at = map(1, OPEN)?;
    // SAFETY: a page of our own, in which there is nothing.
    match unsafe { sys::lock_by_key(at) } {
        Ok(()) => Ok(Arranged::new(at, Act::Read)),
        Err(error) => Err(format!("no protection key to be had ({:?})", error.errno())),
    }
}

fn overrun() -> std::result::Result<Arranged, String> {
    let at = map(2, OPEN)?;
    let end = sys::page(at, 1);
    // SAFETY: pages of our own, in which there is nothing.
    unsafe { sys::protect(end, 1, NONE) }.map_err(refused)?;
    let object = Some((end - 16..end, "a 16-byte buffer"));
    Ok(Arranged { object, ..Arranged::new(end - 16 + 20, Act::Write) })
}

fn straddle() -> std::result::Result<Arranged, String> {
    let at = map(2, OPEN)?;
    let end = sys::page(at, 1);
    // SAFETY: pages of our own, in which there is nothing.
    unsafe { sys::protect(end, 1, NONE) }.map_err(refused)?;
    Ok(Arranged::new(end - 4, Act::ReadWord))
}

fn guarded(act: Act) -> std::result::Result<Arranged, String> {
    let at = map(3, OPEN | ProtFlags::PROT_EXEC)?;
    let middle = sys::page(at, 1);
    // SAFETY: a page of our own, in which there is nothing.
    let guard: Result<()> = unsafe { sys::guard(middle) };
    guard.map_err(|_| "this kernel has no MADV_GUARD_INSTALL (Linux 6.13)".to_owned())?;
    Ok(Arranged::new(middle, act))
}
