//! Reading a mapped file so that a truncation is an error, against reading it so that it is the
//! end: both copy the same bytes of one mapping by the same routine into the same memory, wherever
//! that lies (`benches::at_places`). From 4 KiB up at most
//! a fiftieth is allowed. And what the guard costs when a file is mapped, where it has to be told.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;

use benches::{at_places, figures_wanted, in_turns, turns};
use criterion::{BenchmarkId, Criterion};
use ipc_common::view::landing;
use mmap_file::{MapOptions, Mapping};

const SIZES: [usize; 9] = [8, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20, 16 << 20];

/// A file without a name of `bytes` bytes.
fn file_of(bytes: usize) -> File {
    let path = std::env::temp_dir().join(format!("bench-truncation-{}", std::process::id()));
    let mut file = File::create_new(&path).expect("the temporary folder can be written");
    std::fs::remove_file(&path).expect("it is there");
    file.write_all(&vec![b'x'; bytes]).expect("there is room");
    let name = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    File::open(name).expect("/proc is mounted")
}

fn mapped(file: &File) -> Mapping {
    MapOptions::new().populate().map(file).expect("the file is as long as it was")
}

/// The same routine, told not to land; nobody looks whether the mapping was spoilt.
fn plain(from: *const u8, into: &mut [u8]) {
    // SAFETY: the callers pass a source of the same length, which no one writes.
    unsafe { landing::copy(from, into.as_mut_ptr(), into.len()) };
}

fn by_criterion(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a truncation-proof read");
    for size in SIZES {
        let file = file_of(size);
        let mapping = mapped(&file);
        let mut copy = vec![0; size];
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| mapping.view().and_then(|view| view.read(0, black_box(&mut copy))));
        });
    }
    group.finish();
}

#[expect(clippy::print_stdout, reason = "a bench reports on standard output")]
fn in_pairs() {
    println!("\ntruncation-proof over plain, in turns: median (smallest to largest)");
    println!("{:>10}  {:<26}  {:<26}", "bytes", "one view for all", "a view each time");
    for size in SIZES {
        let file = file_of(size);
        let mapping = mapped(&file);
        let view = mapping.view().expect("nobody cuts it");
        let mapping = &mapping;
        // SAFETY: one side has its turn at a time, and the memory outlives all of them.
        let into = move |at| black_box(unsafe { std::slice::from_raw_parts_mut(at, size) });
        let one = at_places(size, |at| {
            turns(
                move || view.read(0, into(at)).expect("nobody cuts it"),
                move || plain(view.as_ptr(), into(at)),
            )
        });
        let each = at_places(size, |at| {
            turns(
                move || {
                    let view = mapping.view().expect("nobody cuts it");
                    view.read(0, into(at)).expect("nobody cuts it");
                },
                move || plain(view.as_ptr(), into(at)),
            )
        });
        println!("{size:>10}  {:<26}  {:<26}", one.to_string(), each.to_string());
    }
    let file = file_of(1 << 16);
    let map = |options: &MapOptions| {
        black_box(options.map(&file).expect("nobody cuts it").view().expect("nor now").as_ptr());
    };
    let (guarded, unguarded) = (MapOptions::new(), MapOptions::new().unguarded());
    let ratio = in_turns(|| map(&guarded), || map(&unguarded));
    println!("map and unmap, guarded over unguarded  {ratio}");
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
