//! Fault, mend, return: a store to a read-only page, whose handler opens the page.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use benches::{pairs, time};
use criterion::Criterion;
use segv_guard::region::{Protection, Region};
use segv_guard::table::{Answer, OnFault, Registration, Turn};
use segv_guard::{Fault, Guard};

use crate::c::{Library, Loop, Pages};
use crate::table;

/// So many faults in a walk.
const WALK: usize = 64;

/// What we are compared with: its name, its source, and what the compiler needs besides.
const OTHERS: [(&str, &str, &[&str]); 3] = [
    ("sigaction", "sigaction", &[]),
    ("with our flags", "sigaction", &["-DMORE_FLAGS=(SA_ONSTACK|SA_NODEFER)"]),
    ("libsigsegv", "libsigsegv", &["-lsigsegv"]),
];

struct Mend {
    region: Region,
    start: usize,
}

// SAFETY: mprotect(2), which does no more than that unless it fails; and then the bench is over.
// The region is seen by views only.
unsafe impl OnFault for Mend {
    fn on_fault(&self, fault: &Fault) -> Answer {
        let Some(address) = fault.address() else { return Answer::NotMine };
        let page = (address - self.start) / self.region.page_size().bytes();
        match self.region.protect(page..page + 1, Protection::Open) {
            Ok(()) => Answer::Mended,
            Err(_) => Answer::NotMine,
        }
    }
}

/// Pages, and our handler for them.
struct Ours {
    mend: Arc<Mend>,
    _range: Registration,
}

impl Ours {
    fn new(guard: Guard, pages: usize) -> Ours {
        let page = ipc_common::PageSize::system().bytes();
        let region = Region::new(pages * page).expect("there is memory");
        // The first touch of all would be a page fault besides.
        region.view().fill(0, region.len(), 1).expect("it is open");
        let (start, len) = (region.view().as_ptr().addr(), region.len());
        let mend = Arc::new(Mend { region, start });
        let range = guard.register(start, len, Turn::BeforeCopies, mend.clone());
        Ours { mend, _range: range.expect("the range is free") }
    }

    fn pages(&self) -> Pages {
        let region = &self.mend.region;
        Pages {
            start: region.view().as_ptr().cast_mut(),
            pages: region.pages(),
            page: region.page_size().bytes(),
        }
    }

    fn close(&self) {
        let region = &self.mend.region;
        region.protect(0..region.pages(), Protection::ReadOnly).expect("they are its own pages");
    }

    fn store(&self, offset: usize) {
        let word = self.mend.region.view().atomic_u32(offset).expect("it is in the region");
        word.store(1, Relaxed);
    }

    /// A fault for each page in turn. Closing them again is not timed.
    fn walk(&self, rounds: u32) -> Duration {
        let Pages { pages, page, .. } = self.pages();
        let mut total = Duration::ZERO;
        for _ in 0..rounds {
            self.close();
            let before = Instant::now();
            for offset in (0..pages * page).step_by(page) {
                self.store(offset);
            }
            total += before.elapsed();
        }
        total
    }

    /// The one page again and again; closing it is timed.
    fn again(&self, rounds: u32) -> Duration {
        let mut one = || {
            self.close();
            self.store(0);
        };
        time(&mut one, rounds)
    }
}

pub fn bench(criterion: &mut Criterion, guard: Guard, tables: bool) {
    let many = Ours::new(guard, WALK);
    let one = Ours::new(guard, 1);
    let on = |ours: &Ours, theirs: Loop, rounds| {
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
    let iterations = |n: u64| u32::try_from(n).expect("criterion asks for less");
    group.bench_function("segv-guard", |b| b.iter_custom(|n| many.walk(iterations(n))));
    for &(name, walk, _) in &others {
        group.bench_function(name, |b| b.iter_custom(|n| on(&many, walk, iterations(n))));
    }
    group.finish();

    if !tables || others.is_empty() {
        return;
    }
    table::head("a fault that is mended: ours over theirs", "theirs", "ratio");
    for &(name, walk, again) in &others {
        let walked = pairs(|n| many.walk(n), |n| on(&many, walk, n)).per(WALK);
        table::ratio(&format!("{name}: {WALK} pages"), &walked);
        let repeated = pairs(|n| one.again(n), |n| on(&one, again, n));
        table::ratio(&format!("{name}: one, and closed again"), &repeated);
    }
}
