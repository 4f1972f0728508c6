//! Fault, mend, return: a store to a read-only page, whose handler opens the page.

use benches::c::{Library, Loop};
use benches::mend::Mended;
use benches::pairs;
use criterion::Criterion;
use segv_guard::Guard;

use crate::in_parts;
use crate::table;

/// What a mended fault may cost over theirs.
const LIMIT: f64 = 1.05;
/// So many faults in a walk.
const WALK: usize = 64;

/// What we are compared with: its name, its source, and what the compiler needs besides.
const OTHERS: [(&str, &str, &[&str]); 3] = [
    ("sigaction", "sigaction", &[]),
    ("with our flags", "sigaction", &["-DMORE_FLAGS=(SA_ONSTACK|SA_NODEFER)"]),
    ("libsigsegv", "libsigsegv", &["-lsigsegv"]),
];

pub fn bench(criterion: &mut Criterion, guard: Guard, tables: bool) {
    let many = Mended::new(guard, WALK);
    let one = Mended::new(guard, 1);
    let on = |ours: &Mended, theirs: Loop, rounds| {
        let pages = ours.pages();
        // SAFETY: a region of ours, seen by views only, and this is the only thread.
        unsafe { theirs.run(pages, rounds) }
    };
    let others: Vec<_> = OTHERS
        .into_iter()
        .filter_map(|(name, source, arguments)| Some((name, Library::load(source, arguments)?)))
        .map(|(name, library)| (name, library.function(c"walk"), library.function(c"again")))
        .collect();

    let mut group = criterion.benchmark_group(format!("{WALK} faults, mended"));
    group.bench_function("segv-guard", |b| b.iter_custom(|n| in_parts(n, |n| many.walk(n))));
    for &(name, walk, _) in &others {
        group.bench_function(name, |b| b.iter_custom(|n| in_parts(n, |n| on(&many, walk, n))));
    }
    group.finish();

    if !tables || others.is_empty() {
        return;
    }
    table::head("a fault that is mended: ours over theirs", "theirs", "ratio");
    for &(name, walk, again) in &others {
        let walked = pairs(|n| many.walk(n), |n| on(&many, walk, n)).per(WALK);
        table::ratio_at_most(&format!("{name}: {WALK} pages"), &walked, LIMIT);
        let repeated = pairs(|n| one.again(n), |n| on(&one, again, n));
        table::ratio_at_most(&format!("{name}: one, and closed again"), &repeated, LIMIT);
    }
}
