//! Which pages were written: noticed by our handler, or by the kernel with userfaultfd(2).

use std::time::Duration;

use benches::{pairs, time};
use criterion::{BenchmarkId, Criterion};
use segv_guard::Guard;
use segv_guard::uses::{Backend, WriteTracker};

use crate::table;

const PAGES: usize = 1024;

/// Stores to every `step`th page, and asks which they were.
fn round(tracker: &WriteTracker, step: usize) {
    let (view, page) = (tracker.view(), tracker.page_size().bytes());
    for at in (0..PAGES).step_by(step) {
        view.write(at * page, &[1]).expect("it is in the region");
    }
    let written = tracker.take().expect("the pages can be closed");
    assert_eq!(written.iter().map(ExactSizeIterator::len).sum::<usize>(), PAGES.div_ceil(step));
}

fn rounds(tracker: &WriteTracker, step: usize, rounds: u32) -> Duration {
    time(&mut || round(tracker, step), rounds)
}

pub fn bench(criterion: &mut Criterion, guard: Guard, tables: bool) {
    let bytes = PAGES * ipc_common::PageSize::system().bytes();
    let new = |backend| {
        let tracker = WriteTracker::with(guard, bytes, backend)?;
        // The first touch of all would be a page fault besides.
        round(&tracker, 1);
        ipc_common::Result::Ok(tracker)
    };
    let faults = new(Backend::Faults).expect("every kernel has signals");
    let kernel = new(Backend::Kernel);

    let mut group = criterion.benchmark_group(format!("written pages of {PAGES}"));
    for tracker in [Some(&faults), kernel.as_ref().ok()].into_iter().flatten() {
        let name = format!("{:?}", tracker.backend());
        for step in [PAGES, 16, 1] {
            let id = BenchmarkId::new(&name, PAGES / step);
            group.bench_function(id, |bencher| bencher.iter(|| round(tracker, step)));
        }
    }
    group.finish();

    let kernel = match kernel {
        Ok(kernel) => kernel,
        Err(error) => {
            table::note(&format!("SKIPPED: the comparison with userfaultfd ({error})"));
            return;
        }
    };
    if !tables {
        return;
    }
    table::head("a page that is written, noticed by faults over by the kernel", "kernel", "ratio");
    for step in [PAGES, 16, 1] {
        let both = pairs(|n| rounds(&faults, step, n), |n| rounds(&kernel, step, n));
        let written = PAGES / step;
        table::ratio(&format!("{written} of {PAGES}"), &both.per(written));
    }
}
