//! System calls and page faults of a round: they are numbers, and have to be the same.

use benches::files::{Pieces, Source};
use benches::own::{Counted, Job, On, Segment, Who, counted};

use crate::Bench;

const BYTES: usize = 64 << 10;

/// The jobs, and who does by hand what we do.
const COMPARED: [(&str, Job, Who); 6] = [
    ("open, map, touch, drop", Job::Touch, Who::Bare),
    ("map and unmap", Job::Map, Who::Bare),
    ("read all of 64 KiB, mapped anew", Job::ReadFresh, Who::Bare),
    ("read all of 64 KiB, mapped before", Job::ReadReused, Who::Bare),
    ("msync of a page", Job::Sync, Who::Bare),
    ("attach, touch, detach", Job::Attach, Who::Bare),
];

pub fn bench(bench: &mut Bench) {
    bench.report.heading("system calls and page faults of a round");
    let source = Source::new(&bench.place, BYTES as u64, Pieces::Large);
    let segment = Segment::new(BYTES);
    if let Err(why) = &segment {
        bench.report.skip("attach, touch, detach", why);
    }
    let on = On::this(source.file(), segment.as_ref().ok());
    for (what, job, by_hand) in COMPARED {
        if job == Job::Attach && segment.is_err() {
            continue;
        }
        let by = |who| counted(&mut job.by(who, &on).expect("both do that"));
        let (ours, theirs) = (by(Who::Ours), by(by_hand));
        if ours.system_calls.total().is_none() {
            bench.report.skip(what, &ours.system_calls);
            continue;
        }
        bench.report.same(what, &words(&ours), &words(&theirs), ours == theirs);
    }
}

fn words(counted: &Counted) -> String {
    format!("faults {}, calls {}", counted.faults.minor, counted.system_calls)
}
