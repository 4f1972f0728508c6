//! Reading all of a mapped file: the same work on both sides, the copy included.

use benches::files::{Pieces, Source};
use benches::own::{Job, On, Who};
use benches::settings::show_size;

use crate::Bench;
use crate::report::Limit::{self, AtMost};

const SIZES: [u64; 5] = [4 << 10, 64 << 10, 1 << 20, 16 << 20, 64 << 20];
const QUICK: [u64; 3] = [4 << 10, 64 << 10, 16 << 20];

pub fn bench(bench: &mut Bench) {
    bench.report.room("reading all of a mapped file, over libc by hand", "ours", "by hand");
    for bytes in bench.settings.choose(&SIZES, &QUICK, bench.mode) {
        let size = show_size(bytes);
        if let Err(why) = bench.place.has_room(bytes) {
            bench.report.skip(&size, why);
            continue;
        }
        let source = Source::new(&bench.place, bytes, Pieces::Large);
        let on = On::this(source.file(), None);
        for (how, job) in [("mapped anew", Job::ReadFresh), ("mapped before", Job::ReadReused)] {
            let mut compare = |what: &str, who, limit| {
                let [mut ours, mut theirs] =
                    [Who::Ours, who].map(|who| job.by(who, &on).expect("all do that"));
                let compared = bench.clock.compare(&mut *ours, &mut *theirs);
                bench.report.time(what, &compared, limit);
            };
            compare(&format!("{size}, {how}"), Who::Bare, AtMost(1.03));
            compare("  over summing in place, without a copy", Who::Careless, Limit::None);
        }
    }
}
