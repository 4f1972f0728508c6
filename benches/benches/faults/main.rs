//! What a fault costs that is caught: mended, returned as an error, looked up; and what a guard
//! costs when there is none. Against C, compiled from benches/c at the start, with the same memory.
//!
//! Allowed: 1.05 for a fault that is mended, 1.10 for one that is returned, 10 ns for none.

mod lookup;
mod mend;
mod probe;
mod table;
mod written;

use std::time::Duration;

use criterion::Criterion;

/// Criterion counts rounds in 64 bits, these loops in 32: what takes a nanosecond comes to more than
/// those in the three seconds of a warm-up.
fn in_parts(rounds: u64, mut part: impl FnMut(u32) -> Duration) -> Duration {
    let (mut left, mut took) = (rounds, Duration::ZERO);
    while left > 0 {
        let now = u32::try_from(left).unwrap_or(u32::MAX);
        took += part(now);
        left -= u64::from(now);
    }
    took
}

fn main() {
    let guard = segv_guard::install().expect("nothing forbids sigaction here");
    let mut criterion = Criterion::default().configure_from_args();
    let tables = benches::figures_wanted();
    // First those whose faults find the table of ranges empty.
    probe::bench(&mut criterion, guard, tables);
    mend::bench(&mut criterion, guard, tables);
    written::bench(&mut criterion, guard, tables);
    lookup::bench(&mut criterion, guard, tables);
    criterion.final_summary();
}
