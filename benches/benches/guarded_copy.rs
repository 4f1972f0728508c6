//! A copy with a net below it, against the same copy without: what does a fault cost that does not
//! happen? From 4 KiB up at most a fiftieth is allowed.
//!
//! The two sides of a pair differ in the net and in nothing else. They run the same routine; they
//! have the same source and the same target, at the same places (`benches::at_places` says why there
//! are several); they look at the same lengths, and have all they need at hand; and either has a
//! loop of its own with the work inlined (`benches::time`), because of two closures of which only
//! one is inlined, the other also pays for a call, which at 4 KiB is a tenth.

use std::hint::black_box;
use std::sync::atomic::AtomicU32;

use benches::{at_places, figures_wanted, turns};
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
    println!(
        "{:>10}  {:<26}  {:<26}  {:<26}",
        "bytes", "probe of an address", "probe of a view", "a view's own read"
    );
    for size in SIZES {
        let memory = shared_memory(size);
        let view = WriteView::of_atomics(&memory);
        let from = view.part(0, size).expect("there are as many bytes").as_read();
        // SAFETY: one side has its turn at a time, and the memory outlives all of them.
        let into = move |at| black_box(unsafe { std::slice::from_raw_parts_mut(at, size) });
        let address = at_places(size, |at| {
            turns(
                // SAFETY: the source has as many bytes, which no one writes.
                move || unsafe { guard.read(from.as_ptr(), into(at)) }.expect("it is there"),
                move || without_net(from.as_ptr(), into(at)),
            )
        });
        let probe = at_places(size, |at| {
            turns(
                move || guard.copy_out(from, into(at)).map(drop).expect("it is there"),
                move || {
                    let into = into(at);
                    let len = from.len().min(into.len());
                    without_net(from.as_ptr(), &mut into[..len]);
                },
            )
        });
        let view = at_places(size, |at| {
            turns(
                move || from.read(0, into(at)).expect("the sizes fit"),
                move || {
                    let into = into(at);
                    assert!(into.len() <= from.len(), "the sizes fit");
                    without_net(from.as_ptr(), into);
                },
            )
        });
        let columns = [address, probe, view].map(|spread| spread.to_string());
        println!("{size:>10}  {:<26}  {:<26}  {:<26}", columns[0], columns[1], columns[2]);
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
