//! Copies into and out of memory shared with strangers, against memcpy.
//!
//! A [`ReadView`](ipc_common::view::ReadView) copies with a routine of its own, since memcpy is
//! unsound on memory that another process writes. What does that cost? From 4 KiB up at most a
//! twentieth of the rate is allowed.

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::atomic::AtomicU32;

use benches::{figures_wanted, in_turns};
use criterion::{BenchmarkId, Criterion, Throughput};
use ipc_common::view::WriteView;

const SIZES: [usize; 12] = [
    16,
    64,
    256,
    1 << 10,
    4 << 10,
    8 << 10,
    16 << 10,
    64 << 10,
    256 << 10,
    1 << 20,
    16 << 20,
    64 << 20,
];

/// Memory to copy from or to, already touched: the first touch would be a page fault.
fn shared_memory(bytes: usize) -> Vec<AtomicU32> {
    (0..bytes / 4).map(|n| AtomicU32::new(n as u32)).collect()
}

/// What the view must not do on memory that others write. Here nobody else does.
fn memcpy(from: *const u8, to: &mut [u8]) {
    // SAFETY: the callers pass a source of the same length, which no one else writes.
    unsafe { std::ptr::copy_nonoverlapping(from, to.as_mut_ptr(), to.len()) };
}

fn into_shared(from: &[u8], to: WriteView<'_>) {
    // SAFETY: the view has as many bytes, is writable, and nobody else looks at it here.
    unsafe {
        std::ptr::copy_nonoverlapping(from.as_ptr(), to.as_ptr().cast_mut(), from.len());
    }
}

fn by_criterion(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("copy out of shared memory");
    for size in SIZES {
        let memory = shared_memory(size);
        let view = WriteView::of_atomics(&memory);
        let mut private = vec![1_u8; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("view", size), |bencher| {
            bencher.iter(|| view.read(0, black_box(&mut private)));
        });
        group.bench_function(BenchmarkId::new("memcpy", size), |bencher| {
            bencher.iter(|| memcpy(black_box(view.as_ptr()), black_box(&mut private)));
        });
    }
    group.finish();
}

/// The figure that counts: measured in turns, so that a drifting clock cancels out.
#[expect(clippy::print_stdout, reason = "a bench reports on standard output")]
fn in_pairs() {
    println!(
        "\nmemcpy's time over ours, in turns: median (smallest to largest); above 1 ours is faster"
    );
    println!("{:>10}  {:<26}  {:<26}", "bytes", "out of shared memory", "into shared memory");
    for size in SIZES {
        let memory = shared_memory(size);
        let view = WriteView::of_atomics(&memory);
        // One buffer for both sides: where it lies, modulo 4096, against the other end of the copy
        // makes a difference of a third to either.
        let private = RefCell::new(vec![1_u8; size]);
        let out = in_turns(
            || memcpy(black_box(view.as_ptr()), black_box(&mut private.borrow_mut())),
            || view.read(0, black_box(&mut private.borrow_mut())).expect("the sizes fit"),
        );
        let source = vec![2_u8; size];
        let into = in_turns(
            || into_shared(black_box(&source), view),
            || view.write(0, black_box(&source)).expect("the sizes fit"),
        );
        println!("{size:>10}  {:<26}  {:<26}", out.to_string(), into.to_string());
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    by_criterion(&mut criterion);
    criterion.final_summary();
    // `cargo test --benches` only wants to know whether it runs.
    if figures_wanted() {
        in_pairs();
    }
}
