//! Mapping and unmapping, attaching and detaching, and hardly anything in between.

use benches::files::{Pieces, Source};
use benches::own::{Job, On, Segment, Who};

use crate::Bench;
use crate::report::Limit::{self, AtMost};

const BYTES: usize = 64 << 10;

/// Each with what we are judged by, then what is shown beside.
const COMPARED: [(&str, Job, Who, Who, Limit); 9] = [
    ("by hand, against itself", Job::Touch, Who::Bare, Who::Bare, AtMost(1.03)),
    ("open, map, touch, drop", Job::Touch, Who::Ours, Who::Bare, AtMost(1.03)),
    ("  without the guard", Job::Touch, Who::Unguarded, Who::Bare, Limit::None),
    ("  over memmap2", Job::Touch, Who::Ours, Who::Memmap2, Limit::None),
    ("map and unmap", Job::Map, Who::Ours, Who::Bare, AtMost(1.03)),
    ("  without the guard", Job::Map, Who::Unguarded, Who::Bare, Limit::None),
    ("  over memmap2", Job::Map, Who::Ours, Who::Memmap2, Limit::None),
    ("attach, touch, detach", Job::Attach, Who::Ours, Who::Bare, AtMost(1.03)),
    ("  over shmat and shmdt, size unknown", Job::Attach, Who::Ours, Who::Careless, Limit::None),
];

pub fn bench(bench: &mut Bench) {
    bench.report.room("cycles, over libc by hand", "ours", "by hand");
    let source = Source::new(&bench.place, BYTES as u64, Pieces::Large);
    let segment = Segment::new(BYTES);
    if let Err(why) = &segment {
        bench.report.skip("attach, touch, detach", why);
    }
    let on = On::this(source.file(), segment.as_ref().ok());
    for (what, job, ours, theirs, limit) in COMPARED {
        if job == Job::Attach && segment.is_err() {
            continue;
        }
        let [mut ours, mut theirs] =
            [ours, theirs].map(|who| job.by(who, &on).expect("they do that"));
        let compared = bench.clock.compare(&mut *ours, &mut *theirs);
        bench.report.time(what, &compared, limit);
    }
}
