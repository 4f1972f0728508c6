//! What a fault costs that is caught: mended, returned as an error, looked up; and what a guard
//! costs when there is none. Against C, compiled from benches/c at the start, with the same memory.
//!
//! Allowed: 1.05 for a fault that is mended, 1.10 for one that is returned, 10 ns for none.

mod lookup;
mod mend;
mod probe;
mod table;
mod written;

use criterion::Criterion;

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
