//! Stacks that run out.

use std::hint::black_box;
use std::thread;

use segv_guard::AltStack;

use super::{Act, Arranged, Deed, deed};

pub const DEEDS: &[Deed] = &[
    deed("stack-overflow", "a function that calls itself for ever, on the main thread", || {
        Ok(Arranged::new(0, Act::Other(on_main)))
    }),
    deed(
        "thread-stack-overflow",
        "a function that calls itself for ever, on a thread that has a guard page",
        || Ok(Arranged::new(0, Act::Other(on_thread))),
    ),
];

#[expect(unconditional_recursion, reason = "that is the deed")]
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    deeper(depth + 1) + frame[0]
}

/// # Safety
///
/// - None: a stack that overflows meets a page without access, and nothing is overwritten.
unsafe fn on_main(_: usize) {
    // With no stack left, the handler needs another.
    let _stack = AltStack::for_this_thread();
    deeper(0);
}

/// # Safety
///
/// - As for `on_main`.
unsafe fn on_thread(_: usize) {
    let thread = thread::Builder::new().stack_size(256 * 1024).spawn(|| {
        let _stack = AltStack::for_this_thread();
        deeper(0)
    });
    // Neither comes back.
    let _ = thread.map(thread::JoinHandle::join);
}
