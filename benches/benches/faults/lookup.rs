//! Whose is a fault? With 1, 100 and 10,000 ranges in the table.
//!
//! The search is no function of its own to call: it is what a fault costs more. C's handler, which
//! looks nothing up, stands beside it for the processor's mood.

use std::sync::Arc;

use benches::pairs;
use criterion::{BenchmarkId, Criterion};
use segv_guard::region::{Protection, Region};
use segv_guard::table::{Answer, OnFault, Registration, Turn};
use segv_guard::{Fault, Guard};

use crate::in_parts;
use crate::{probe, table};
use benches::c::{Library, Pages};

const COUNTS: [usize; 4] = [0, 1, 100, 10_000];

/// Found, and never asked: it would be after the copies, and a probe gets its fault as an error.
struct Nobody;

// SAFETY: it does nothing.
unsafe impl OnFault for Nobody {
    fn on_fault(&self, _: &Fault) -> Answer {
        Answer::NotMine
    }
}

/// `count` ranges of one page, from `start` on.
fn register(guard: Guard, start: usize, count: usize) -> Vec<Registration> {
    let page = ipc_common::PageSize::system().bytes();
    let nobody = Arc::new(Nobody);
    (0..count)
        .map(|at| guard.register(start + at * page, page, Turn::AfterCopies, nobody.clone()))
        .map(|range| range.expect("they do not overlap"))
        .collect()
}

pub fn bench(criterion: &mut Criterion, guard: Guard, tables: bool) {
    let page = ipc_common::PageSize::system().bytes();
    let most = COUNTS[COUNTS.len() - 1];
    let region = Region::new(most * page).expect("there is room");
    region.protect(0..most, Protection::Closed).expect("they are its own pages");
    // Faults in all ranges, in no order that the processor could guess.
    let start = region.view().as_ptr().cast_mut();
    let pages = |count: usize| Pages { start, pages: count.max(1), page };
    let ours = |count| move |rounds| probe::ours(guard, pages(count), rounds, false);

    let mut group = criterion.benchmark_group("a probe that fails, among ranges");
    for count in COUNTS {
        let _ranges = register(guard, start.addr(), count);
        let id = BenchmarkId::from_parameter(count);
        group.bench_function(id, |bencher| bencher.iter_custom(|n| in_parts(n, ours(count))));
    }
    group.finish();

    if !tables {
        return;
    }
    let Some(jump) = Library::load("sigsetjmp", &[]) else { return };
    let fails = jump.function(c"fails");
    // SAFETY: a region of ours, seen by views only, and this is the only thread.
    let theirs = |count| move |rounds| unsafe { fails.run(pages(count), rounds) };
    table::head("a probe that fails, over C's, which looks nothing up", "theirs", "ratio");
    for count in COUNTS {
        let _ranges = register(guard, start.addr(), count);
        table::ratio(&format!("ranges: {count}"), &pairs(ours(count), theirs(count)));
    }
}
