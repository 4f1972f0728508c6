//! A copy with a net below it, against the same copy without: what does a fault cost that does not
//! happen? From 4 KiB up at most a fiftieth is allowed.

use std::hint::black_box;
use std::sync::atomic::AtomicU32;

use benches::in_turns;
use criterion::{BenchmarkId, Criterion};
use ipc_common::view::{WriteView, landing};

const SIZES: [usize; 10] = [1, 8, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20, 16 << 20];

/// Memory to copy from or to, already touched: the first touch would be a page fault.
fn shared_memory(bytes: usize) -> Vec<AtomicU32> {
    (0..bytes.div_ceil(4)).map(|n| AtomicU32::new(n as u32)).collect()
}

/// The same routine, told not to land.
fn without_net(from: *const u8, into: &mut [u8]) {
    // SAFETY: the callers pass a source of the same length, which no one writes.
    unsafe { landing::copy(from, into.as_mut_ptr(), into.len()) };
}

fn by_criterion(criterion: &mut Criterion) {
    let guard = segv_guard::install().expect("nothing forbids sigaction here");
    let mut group = criterion.benchmark_group("a probe");
    for size in SIZES {
        let memory = shared_memory(size);
        let view = WriteView::of_atomics(&memory);
        let mut private = vec![1_u8; size];
        group.bench_function(BenchmarkId::new("succeeds", size), |bencher| {
            bencher.iter(|| guard.copy_out(view.as_read(), black_box(&mut private)));
        });
    }
    group.bench_function("fails", |bencher| {
        // SAFETY: no Rust value is at null.
        bencher.iter(|| unsafe { guard.read_byte(black_box(std::ptr::null())) });
    });
    group.finish();
}

/// The figure that counts: measured in turns, so that a drifting clock cancels out.
#[expect(clippy::print_stdout, reason = "a bench reports on standard output")]
fn in_pairs() {
    let guard = segv_guard::install().expect("nothing forbids sigaction here");
    println!("\nwith the net over without, in turns: median (smallest to largest)");
    println!("{:>10}  {:<26}  {:<26}", "bytes", "probe", "view");
    for size in SIZES {
        let memory = shared_memory(size);
        let view = WriteView::of_atomics(&memory);
        let mut private = vec![1_u8; size];
        // Both into the same buffer: two would differ by where they lie.
        let target = private.as_mut_ptr();
        let into = || {
            // SAFETY: one of the two closures runs at a time, and the vector outlives them.
            black_box(unsafe { std::slice::from_raw_parts_mut(target, size) })
        };
        let from = view.part(0, size).expect("there are as many bytes").as_read();
        let probe = in_turns(
            || guard.copy_out(from, into()).map(drop).expect("the memory is there"),
            || without_net(black_box(from.as_ptr()), into()),
        );
        let view = in_turns(
            || from.read(0, into()).expect("the sizes fit"),
            || without_net(black_box(from.as_ptr()), into()),
        );
        println!("{size:>10}  {:<26}  {:<26}", probe.to_string(), view.to_string());
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    by_criterion(&mut criterion);
    criterion.final_summary();
    // `cargo test --benches` only wants to know whether it runs.
    if !std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        in_pairs();
    }
}
