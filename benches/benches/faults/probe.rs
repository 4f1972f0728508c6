//! A byte that can be read or not: probed by us, by C with a long jump out of the handler, and
//! read without a net. (How a longer copy fares that succeeds: `guarded_copy`.)

use std::hint::black_box;
use std::ptr;
use std::time::{Duration, Instant};

use benches::pairs;
use criterion::Criterion;
use segv_guard::Guard;
use segv_guard::region::{Protection, Region};

use crate::in_parts;
use crate::table;
use benches::c::{Library, Loop, Pages};

/// `rounds` probes; all of them succeed or all fail.
pub fn ours(guard: Guard, on: Pages, rounds: u32, succeed: bool) -> Duration {
    let mut as_expected = 0;
    let before = Instant::now();
    for round in 0..rounds {
        // SAFETY: nobody has references to the pages.
        let read = unsafe { guard.read_byte(black_box(on.pick(round))) };
        as_expected += u32::from(black_box(read).is_ok() == succeed);
    }
    let took = before.elapsed();
    assert_eq!(as_expected, rounds);
    took
}

/// The same loop without a net.
fn plain(on: Pages, rounds: u32) -> Duration {
    let before = Instant::now();
    for round in 0..rounds {
        // SAFETY: the caller's pages are open.
        black_box(unsafe { ptr::read_volatile(black_box(on.pick(round))) });
    }
    before.elapsed()
}

fn theirs(jump: Loop, on: Pages, rounds: u32) -> Duration {
    // SAFETY: nobody has references to the pages, and this is the only thread.
    unsafe { jump.run(on, rounds) }
}

/// What a fault that is returned may cost over theirs.
const RETURNED: f64 = 1.1;
/// What a guard may cost when there is no fault, in nanoseconds.
const ENTERED: f64 = 10.0;

pub fn bench(criterion: &mut Criterion, guard: Guard, tables: bool) {
    let page = ipc_common::PageSize::system().bytes();
    let region = Region::new(2 * page).expect("there is memory");
    region.view().fill(0, region.len(), 1).expect("it is open");
    region.protect(1..2, Protection::Closed).expect("it has two pages");
    let start = region.view().as_ptr().cast_mut();
    let open = Pages { start, pages: 1, page };
    let closed = Pages { start: start.wrapping_add(page), pages: 1, page };
    let unmapped = Pages { start: ptr::null_mut(), pages: 1, page };
    let jump = Library::load("sigsetjmp", &[])
        .map(|library| (library.function(c"fails"), library.function(c"succeeds")));

    let mut group = criterion.benchmark_group("one byte");
    let ours_in = |on, succeed| move |n| in_parts(n, |n| ours(guard, on, n, succeed));
    group.bench_function("probe fails", |b| b.iter_custom(ours_in(closed, false)));
    group.bench_function("probe succeeds", |b| b.iter_custom(ours_in(open, true)));
    group.bench_function("plain read", |b| b.iter_custom(|n| in_parts(n, |n| plain(open, n))));
    if let Some((fails, succeeds)) = jump {
        let in_c = |jump, on| move |n| in_parts(n, |n| theirs(jump, on, n));
        group.bench_function("sigsetjmp fails", |b| b.iter_custom(in_c(fails, closed)));
        group.bench_function("sigsetjmp succeeds", |b| b.iter_custom(in_c(succeeds, open)));
    }
    group.finish();

    if !tables {
        return;
    }
    if let Some((fails, succeeds)) = jump {
        table::head("a byte tried: ours over sigsetjmp and siglongjmp", "theirs", "ratio");
        for (what, on) in [("nothing is mapped there", unmapped), ("the page is closed", closed)] {
            let failed = pairs(|n| ours(guard, on, n, false), |n| theirs(fails, on, n));
            table::ratio_at_most(what, &failed, RETURNED);
        }
        let entered = pairs(|n| ours(guard, open, n, true), |n| theirs(succeeds, open, n));
        table::ratio("it can be read", &entered);
    }
    table::head("a byte that can be read: ours less a plain read", "plain", "ns more");
    let entered = pairs(|n| ours(guard, open, n, true), |n| plain(open, n));
    table::difference_at_most("entering the guard", &entered, ENTERED);
}
